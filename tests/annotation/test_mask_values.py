"""The values of mask files, by hand."""

import numpy as np
import pytest

from cfcn_plugin.annotation.mask_values import (
    causal_and_unknown,
    label_values,
    mask_files,
    mask_values,
)
from cfcn_plugin.masks import MaskError, MaskRecord

LEFT, RIGHT = np.uint8([[1, 0, 0]]), np.uint8([[0, 0, 1]])
UNKNOWN = np.uint8([[0, 1, 0]])


def of_classes(planes, classes, ignore=None):
    return MaskRecord(np.stack(planes), 'a.json', np.array(classes), ignore)


def files(record, layout):
    return [
        (path, values.tolist(), list(classes))
        for path, values, classes in mask_files(record, 'a.png', layout)
    ]


def test_one_mask_is_255_where_causal_and_127_where_unknown():
    np.testing.assert_array_equal(mask_values(LEFT, None), [[255, 0, 0]])
    np.testing.assert_array_equal(mask_values(LEFT, LEFT | UNKNOWN), [[127, 127, 0]])
    for layout in ('union', 'values', 'folders'):
        assert files(MaskRecord(LEFT, 'a', ignore=UNKNOWN), layout) == [
            ('a.png', [[255, 127, 0]], [])
        ]


@pytest.mark.parametrize(
    'layout, expected',
    [
        ('union', [('a.png', [[255, 127, 255]], [4, 0])]),
        ('values', [('a.png', [[5, 255, 1]], [4, 0])]),
        (
            'folders',
            [('4/a.png', [[255, 127, 0]], [4]), ('0/a.png', [[0, 127, 255]], [0])],
        ),
    ],
)
def test_masks_of_classes_in_each_layout(layout, expected):
    assert files(of_classes([LEFT, RIGHT], [4, 0], UNKNOWN), layout) == expected


def test_a_label_file_holds_classes_below_254_that_do_not_overlap():
    assert label_values(of_classes([LEFT], [253])).tolist() == [[254, 0, 0]]
    with pytest.raises(MaskError, match='has class 254.*--classes folders'):
        label_values(of_classes([LEFT], [254]))
    with pytest.raises(MaskError, match=r'\[1, 2\].* overlap in 1 pixels.*--classes'):
        label_values(of_classes([LEFT, LEFT], [1, 2]))


def test_an_image_without_a_class_is_context():
    none = MaskRecord(np.zeros((0, 1, 3), np.uint8), 'a', np.zeros(0, np.int64))
    for layout in ('union', 'values'):
        assert files(none, layout) == [('a.png', [[0, 0, 0]], [])]
    assert files(none, 'folders') == []


@pytest.mark.parametrize(
    'is_label_file, expected',
    [
        (False, (0.5, 0.25)),  # 255 is causal, 127 unknown
        (True, (0.5, 0.25)),
    ],
)  # 127 is a class, 255 unknown
def test_fractions_of_causal_and_unknown_pixels(is_label_file, expected):
    values = np.uint8([0, 127, 255, 1])
    assert causal_and_unknown(values, is_label_file) == expected
