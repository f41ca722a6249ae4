from collections import Counter
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.dataset import DefaultSampler, RepeatDataset
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS

from cfcn_plugin.mm.datasets.guided_sampler import GuidedSampler, guided_images

CONFIG = Path(__file__).parents[3] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'


@pytest.fixture
def build(waterbirds_root, monkeypatch, tmp_path):
    """The 8 training images, of which some are guided; or no mask is loaded."""
    monkeypatch.setenv('CFCN_DATA', str(waterbirds_root))

    def of(guided, **load):
        dataset = Config.fromfile(CONFIG).train_dataloader.dataset
        if guided is None:
            del dataset.pipeline[1]
        elif guided < 8:
            names = tmp_path / 'guided.txt'
            names.write_text(''.join(f'images/{i:03d}.jpg\n' for i in range(guided)))
            dataset.pipeline[1].update(image_list=str(names), **load)
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            return DATASETS.build(dataset)

    return of


def test_a_fraction_of_the_draws_is_guided_and_each_guided_one_equally_often(build):
    sampler = GuidedSampler(build(3), fraction=0.75, seed=0)
    drawn = Counter(sampler)
    assert drawn.total() == len(sampler) == 8
    assert sorted(drawn[i] for i in range(3)) == [2, 2, 2]
    assert [drawn[i] for i in range(3, 8) if drawn[i]] == [1, 1]


def test_a_fraction_that_does_not_divide_is_rounded_up(build):
    drawn = Counter(GuidedSampler(build(3), fraction=0.6, seed=0))
    assert sorted(drawn[i] for i in range(3)) == [1, 2, 2]


def test_other_images_are_left_out_in_other_epochs_and_the_same_in_the_same(build):
    sampler = GuidedSampler(build(2), fraction=0.5, seed=0)
    epochs = []
    for epoch in range(20):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
        assert list(sampler) == epochs[-1]
    assert {i for drawn in epochs for i in drawn} == set(range(8))
    assert len({tuple(drawn) for drawn in epochs}) > 10


def test_all_draws_may_be_guided(build):
    assert set(GuidedSampler(build(2), fraction=1.0, seed=0)) == {0, 1}


def test_unshuffled_epoch_begins_with_the_guided(build):
    drawn = list(GuidedSampler(build(2), fraction=0.5, seed=0, shuffle=False))
    assert set(drawn[:4]) == {0, 1} and set(drawn[4:]) <= set(range(2, 8))


def test_where_more_are_guided_anyway_it_is_the_default_sampler(build):
    for guided, fraction in ((8, 0.5), (4, 0.5), (8, 1.0)):
        dataset = build(guided)
        assert list(GuidedSampler(dataset, fraction=fraction, seed=3)) == list(
            DefaultSampler(dataset, seed=3)
        )


@pytest.mark.parametrize('round_up', [True, False])
def test_ranks_together_draw_what_one_process_draws(build, monkeypatch, round_up):
    dataset = build(2)
    whole = list(GuidedSampler(dataset, fraction=0.5, seed=0))
    of_ranks = []
    for rank in range(3):
        monkeypatch.setattr(
            'mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 3)
        )
        sampler = GuidedSampler(dataset, fraction=0.5, seed=0, round_up=round_up)
        of_ranks.append(list(sampler))
        assert len(sampler) == len(of_ranks[-1])
    interleaved = [
        i
        for drawn in zip(*([*r, None] for r in of_ranks), strict=False)
        for i in drawn
        if i is not None
    ]
    if round_up:  # a draw more, so that ranks are even
        assert [len(r) for r in of_ranks] == [3, 3, 3]
        assert sum(i < 2 for i in interleaved) == 5
    else:
        assert sorted(i for r in of_ranks for i in r) == sorted(whole)


def test_an_image_without_a_mask_is_not_guided(build):
    dataset = build(3)
    dataset.pipeline.transforms[1].source.missing = lambda keys: ['images/001.jpg']
    assert guided_images(dataset) == [True, False, True] + [False] * 5


def test_wrapped_data_set_is_seen_through(build):
    assert (
        guided_images(RepeatDataset(build(1), 2))
        == [True] + [False] * 7 + [True] + [False] * 7
    )


@pytest.mark.parametrize(
    'guided,fraction,message',
    [
        (2, 0.0, r'`fraction` must be in \(0, 1\]'),
        (2, 1.5, r'`fraction` must be in \(0, 1\]'),
        (None, 0.5, 'CSVDataset has 0 LoadActivationMask'),
    ],
)
def test_what_it_cannot_do_is_an_error(build, guided, fraction, message):
    with pytest.raises(ValueError, match=message):
        GuidedSampler(build(guided), fraction=fraction)


def test_no_guided_image_is_an_error(build):
    dataset = build(8)
    dataset.pipeline.transforms[1].fraction = 0.0
    with pytest.raises(ValueError, match='no training image is guided'):
        GuidedSampler(dataset)


def test_balanced_classes_are_drawn_equally_often_and_each_image_of_a_class_too(build):
    dataset = build(3)
    labels = [dataset.get_data_info(i)['gt_label'] for i in range(3)]
    assert len(set(labels)) == 2  # two images of one class, one of the other
    drawn = Counter(GuidedSampler(dataset, fraction=1.0, class_balanced=True, seed=0))
    assert drawn.total() == 8
    assert sorted(drawn.values()) == [2, 2, 4]
    assert drawn[next(i for i in range(3) if labels.count(labels[i]) == 1)] == 4


def test_balanced_classes_where_all_images_are_guided(build):
    dataset = build(8)
    drawn = list(GuidedSampler(dataset, class_balanced=True, seed=0))
    labels = Counter(int(dataset.get_data_info(i)['gt_label']) for i in drawn)
    assert labels == {0: 4, 1: 4}


def test_a_class_without_a_guided_image_cannot_be_balanced(build):
    with pytest.raises(ValueError, match=r'the classes \[\d\] have no guided image'):
        GuidedSampler(build(1), class_balanced=True)
