"""Labels, splits and groups of a CSV file, and errors of wrong files."""

import csv

import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from PIL import Image

from cfcn_plugin.mm.datasets import CSVDataset

HEADER = ('filename', 'label', 'split', 'place', 'time')
ROWS = [
    ('images/0.jpg', 'cat', 'train', 'land', 'day'),
    ('images/1.jpg', 'dog', 'train', 'sea', 'day'),
    ('images/2.jpg', 'dog', 'test', 'land', 'night'),
]
CLASSES = ['dog', 'cat']  # their order, not the file's, gives the labels


def write(root, rows=ROWS, header=HEADER, encoding='utf-8'):
    with (root / 'labels.csv').open('w', newline='', encoding=encoding) as stream:
        csv.writer(stream).writerows([header, *rows])
    return root


def dataset(root, **kwargs):
    # serialising collects garbage for the best part of a second
    return CSVDataset(
        ann_file='labels.csv',
        classes=CLASSES,
        data_root=str(root),
        serialize_data=False,
        **kwargs,
    )


def samples(data):
    return [data.get_data_info(i) for i in range(len(data))]


def test_labels_are_indices_of_classes_and_paths_are_below_the_root(tmp_path):
    data = dataset(write(tmp_path))
    assert data.metainfo['classes'] == ('dog', 'cat')
    assert [s['gt_label'] for s in samples(data)] == [1, 0, 0]
    assert [s['img_path'] for s in samples(data)] == [
        str(tmp_path / row[0]) for row in ROWS
    ]
    assert 'group' not in samples(data)[0]


@pytest.mark.parametrize(
    'split,lines', [(None, [0, 1, 2]), ('train', [0, 1]), ('test', [2])]
)
def test_split_takes_its_lines(tmp_path, split, lines):
    found = [s['img_path'] for s in samples(dataset(write(tmp_path), split=split))]
    assert found == [str(tmp_path / ROWS[i][0]) for i in lines]


def test_group_joins_columns(tmp_path):
    data = dataset(write(tmp_path), group=['place', 'time'])
    assert [s['group'] for s in samples(data)] == ['land-day', 'sea-day', 'land-night']


def test_named_columns(tmp_path):
    header = ('file', 'species', 'part', 'place', 'time')
    data = dataset(
        write(tmp_path, header=header),
        path='file',
        label='species',
        split_column='part',
        split='test',
    )
    assert samples(data)[0]['gt_label'] == 0


def test_file_needs_only_the_columns_that_are_asked_for(tmp_path):
    data = dataset(write(tmp_path, [row[:2] for row in ROWS], HEADER[:2]))
    assert len(data) == 3


def test_file_with_a_byte_order_mark(tmp_path):
    assert len(dataset(write(tmp_path, encoding='utf-8-sig'))) == 3


def test_config_builds_a_dataset_whose_pipeline_runs(tmp_path):
    write(tmp_path)
    (tmp_path / 'images').mkdir()
    for row in ROWS:
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / row[0])
    data = DATASETS.build(
        dict(
            type='CSVDataset',
            ann_file='labels.csv',
            data_root=str(tmp_path),
            classes=CLASSES,
            split='train',
            group=['place'],
            serialize_data=False,
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='PackInputs', meta_keys=('img_path', 'group')),
            ],
        )
    )
    assert data[1]['inputs'].shape == (3, 4, 6)
    assert data[1]['data_samples'].group == 'sea'


# ---- errors ----------------------------------------------------------------


def test_missing_file_names_file_and_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match='CFCN_DATA') as caught:
        dataset(tmp_path / 'gone')
    assert f"'{tmp_path / 'gone' / 'labels.csv'}'" in str(caught.value)
    assert f"put the data below '{tmp_path / 'gone'}" in str(caught.value)


@pytest.mark.parametrize(
    'kwargs,column',
    [
        (dict(path='file'), 'file'),
        (dict(label='species'), 'species'),
        (dict(split='train', split_column='part'), 'part'),
        (dict(group=['place', 'colour']), 'colour'),
    ],
)
def test_missing_column_names_column_file_and_header(tmp_path, kwargs, column):
    with pytest.raises(ValueError, match='header is .*filename.*label') as caught:
        dataset(write(tmp_path), **kwargs)
    assert f"has no column ['{column}']" in str(caught.value)
    assert f"'{tmp_path / 'labels.csv'}'" in str(caught.value)


def test_unknown_label_names_line_label_and_classes(tmp_path):
    rows = [*ROWS, ('images/3.jpg', 'cow', 'train', 'land', 'day')]
    with pytest.raises(ValueError, match="line 5: label 'cow'.*dog.*cat") as caught:
        dataset(write(tmp_path, rows))
    assert f"'{tmp_path / 'labels.csv'}'" in str(caught.value)


def test_unknown_labels_of_other_splits_do_not_matter(tmp_path):
    rows = [*ROWS, ('images/3.jpg', 'cow', 'extra', 'land', 'day')]
    assert len(dataset(write(tmp_path, rows), split='train')) == 2


def test_line_cut_short_names_line_and_column(tmp_path):
    rows = [*ROWS, ('images/3.jpg', 'cat', 'train')]
    with pytest.raises(ValueError, match=r"line 5 ends before .*\['place'\]") as caught:
        dataset(write(tmp_path, rows), group=['place'])
    assert f"'{tmp_path / 'labels.csv'}'" in str(caught.value)


def test_line_cut_before_its_split_is_not_dropped_in_silence(tmp_path):
    rows = [*ROWS, ('images/3.jpg', 'cat')]
    with pytest.raises(ValueError, match=r'line 5 ends before .*split'):
        dataset(write(tmp_path, rows), split='train')


def test_split_without_lines_names_file_column_and_split(tmp_path):
    with pytest.raises(ValueError, match="no line with split='val'") as caught:
        dataset(write(tmp_path), split='val')
    assert f"'{tmp_path / 'labels.csv'}'" in str(caught.value)


@pytest.mark.parametrize(
    'text,message',
    [
        ('', r"no column \['filename', 'label'\]"),
        ('filename,label\n', "labels.csv' has no line$"),
    ],
)
def test_empty_file_says_what_is_missing(tmp_path, text, message):
    (tmp_path / 'labels.csv').write_text(text)
    with pytest.raises(ValueError, match=message):
        dataset(tmp_path)


def test_unknown_option_is_an_error(tmp_path):
    with pytest.raises(TypeError, match='splits'):
        dataset(write(tmp_path), splits='train')


# ---- several labels an image ----------------------------------------------------

SEVERAL = [('0.jpg', '1', '0', '1'), ('1.jpg', '0', '0', '0'), ('2.jpg', '0', '1', '0')]


def several(root, rows=SEVERAL, label=('ex', 'he', 'se')):
    write(root, rows, ('filename', 'he', 'se', 'ex'))
    return CSVDataset(
        ann_file='labels.csv',
        classes=['EX', 'HE', 'SE'],
        label=list(label),
        data_root=str(root),
        serialize_data=False,
    )


def test_several_labels_are_the_classes_whose_column_is_1(tmp_path):
    data = several(tmp_path)
    assert [s['gt_label'] for s in samples(data)] == [[0, 1], [], [2]]
    assert [data.get_cat_ids(i) for i in range(3)] == [[0, 1], [], [2]]


def test_one_label_is_its_category(tmp_path):
    assert dataset(write(tmp_path)).get_cat_ids(0) == [1]


def test_label_that_is_neither_0_nor_1_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"line 2: expected 0 or 1 in .*'0', 'yes'"):
        several(tmp_path, [('0.jpg', 'yes', '0', '0')])


def test_each_class_needs_its_column(tmp_path):
    with pytest.raises(ValueError, match='one for each of the 3 classes'):
        several(tmp_path, label=['he', 'se'])


@pytest.mark.parametrize(
    'written,stored',
    [
        ('images\\0.jpg', 'images/0.jpg'),
        ('images/ü.jpg', 'images/u\u0308.jpg'),
        ('images\\u\u0308.jpg', 'images/ü.jpg'),
        ('images/0.jpg', 'images/0.jpg'),
        ('images\\gone.jpg', None),
    ],
)
def test_path_is_found_with_backslashes_and_in_another_form(tmp_path, written, stored):
    (tmp_path / 'images').mkdir()
    (tmp_path / (stored or 'a.jpg')).touch()
    data = dataset(write(tmp_path, [(written, *ROWS[0][1:])]))
    assert samples(data)[0]['img_path'] == str(tmp_path / (stored or written))
