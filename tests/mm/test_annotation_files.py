"""Data sets with annotation files that can run code are refused."""

import pytest

from cfcn_plugin.mm.annotation_files import build_dataset, check_annotation_files

pytestmark = pytest.mark.stacks


@pytest.mark.parametrize(
    'where, nested',
    [
        (
            'train.dataset.dataset.ann_file',
            lambda name: dict(dataset=dict(dataset=dict(ann_file=name))),
        ),
        (
            'train.dataset.datasets.1.ann_file',
            lambda name: dict(
                dataset=dict(datasets=[dict(ann_file='a.json'), dict(ann_file=name)])
            ),
        ),
        (
            'train.dataset.question_file',
            lambda name: dict(dataset=dict(question_file=name)),
        ),
    ],
)
@pytest.mark.parametrize('name', ['train.pkl', 'a/b.PICKLE', 'labels.yaml', 'x.yml'])
def test_annotations_that_mmengine_would_run_are_refused(name, where, nested):
    with pytest.raises(ValueError, match=f"`{where}` is '{name}'"):
        check_annotation_files(nested(name), 'train.')
    check_annotation_files(nested('train.json'), 'train.')


def test_a_data_set_that_would_be_unpickled_is_not_built(tmp_path):
    with pytest.raises(ValueError, match='`dataset.ann_file` is .*train.pkl'):
        build_dataset(dict(type='CustomDataset', ann_file=str(tmp_path / 'train.pkl')))
