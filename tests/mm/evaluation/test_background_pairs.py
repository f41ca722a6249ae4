"""Whose background: of the right class, by a hash, never the image itself."""

import pytest
import torch
from mmengine.dataset import ConcatDataset
from mmpretrain.datasets import CustomDataset
from mmpretrain.structures import DataSample

from cfcn_plugin.mm.evaluation.background_pairs import BackgroundPairs


class Labels:
    """A data set that is asked for its labels alone."""

    def __init__(self, labels, paths=None):
        self.labels = labels
        self.paths = paths

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, index):
        info = dict(gt_label=self.labels[index], sample_idx=index)
        if self.paths:
            info['img_path'] = self.paths[index]
        return info

    def sample(self, index):
        info = self.get_data_info(index)
        return DataSample(
            metainfo={k: v for k, v in info.items() if k != 'gt_label'}
        ).set_gt_label(torch.as_tensor(info['gt_label']).reshape(-1))


def pairs_of(dataset, which, seed=0):
    others = BackgroundPairs(dataset, seed)
    return [list(others.of(dataset.sample(i), which)) for i in range(len(dataset))]


ONE_LABEL = Labels([0, 1, 2, 0, 1, 0])
SEVERAL = Labels([[0, 1], [2], [1, 0], [], [1], [2, 3]])


@pytest.mark.parametrize(
    'dataset,which,expected',
    [
        (ONE_LABEL, 'same_class', [{3, 5}, {4}, set(), {0, 5}, {1}, {0, 3}]),
        (
            ONE_LABEL,
            'other_class',
            [
                {1, 2, 4},
                {0, 2, 3, 5},
                {0, 1, 3, 4, 5},
                {1, 2, 4},
                {0, 2, 3, 5},
                {1, 2, 4},
            ],
        ),
        (SEVERAL, 'same_class', [{2}, set(), {0}, set(), set(), set()]),
        (
            SEVERAL,
            'other_class',
            [{1, 5}, {0, 2, 4}, {1, 5}, {0, 1, 2, 4, 5}, {1, 5}, {0, 2, 4}],
        ),
    ],
)
def test_every_image_of_the_right_class_is_named_once(dataset, which, expected):
    others = pairs_of(dataset, which)
    assert [set(p) for p in others] == expected
    assert [len(p) for p in others] == [len(e) for e in expected]


def test_same_seed_same_pairs_and_another_seed_others():
    dataset = Labels([i % 3 for i in range(60)])
    first = pairs_of(dataset, 'other_class')
    assert first == pairs_of(dataset, 'other_class')
    assert first != pairs_of(dataset, 'other_class', seed=1)


def test_first_choices_are_spread_over_the_class():
    dataset = Labels([i % 2 for i in range(400)])
    first = [p[0] for p in pairs_of(dataset, 'other_class')[::2]]
    assert len(set(first)) > 100  # 126 are expected of 200 draws from 200


def test_pairs_do_not_depend_on_where_the_data_lie():
    here = Labels([0, 0, 0, 1], ['/here/a', '/here/b', '/here/c', '/here/d'])
    there = Labels([0, 0, 0, 1], ['/there/a', '/there/b', '/there/c', '/there/d'])
    assert pairs_of(here, 'same_class') == pairs_of(there, 'same_class')


def test_an_image_that_is_there_twice_is_not_paired_with_itself():
    dataset = Labels([0, 0, 0], ['a', 'b', 'a'])
    assert [set(p) for p in pairs_of(dataset, 'same_class')] == [{1}, {0, 2}, {1}]


def test_sample_that_does_not_tell_which_image_it_is_is_an_error():
    nameless = DataSample().set_gt_label(0)
    with pytest.raises(ValueError, match='pack `img_path` or'):
        next(BackgroundPairs(ONE_LABEL).of(nameless, 'same_class'))


def test_data_set_that_tells_no_labels_is_an_error():
    with pytest.raises(TypeError, match='list has no `get_data_info'):
        BackgroundPairs([1, 2])


def test_wrappers_of_data_sets_are_data_sets(tmp_path):
    (tmp_path / 'list.txt').write_text('0.jpg 0\n1.jpg 1\n2.jpg 0\n3.jpg 1\n')
    inner = CustomDataset(ann_file='list.txt', data_root=str(tmp_path))
    whole = ConcatDataset([inner, inner])
    sample = DataSample(metainfo=dict(img_path=inner.get_data_info(1)['img_path']))
    others = BackgroundPairs(whole).of(sample.set_gt_label(1), 'same_class')
    assert set(others) == {3, 7}
