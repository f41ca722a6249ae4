"""Boxes: parsing of four numbers, and the pixels inside."""

from contextlib import nullcontext

import numpy as np
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.rectangles import check_in_image, draw_boxes, read_box


@pytest.mark.parametrize(
    'values,format,box',
    [
        ([1, 2, 3, 4], 'xyxy', (1, 2, 3, 4)),
        (['1', ' 2', '3.5', '4e0'], 'xyxy', (1, 2, 3.5, 4)),
        ((1, 2, 3, 4), 'xywh', (1, 2, 4, 6)),
    ],
)
def test_box_is_its_corners(values, format, box):
    assert read_box(values, format) == box


@pytest.mark.parametrize(
    'values',
    [
        [],
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [1, 2, 3, None],
        [1, 2, 3, 'a'],
        [1, 2, 3, float('nan')],
        [float('-inf'), 2, 3, 4],
        [1, 2, 3, 10**400],
    ],
)
def test_four_finite_numbers_or_an_error_with_what_came(values):
    with pytest.raises(MaskError, match='^expected four finite numbers, got ') as e:
        read_box(values)
    assert str(values)[:60] in str(e.value)


def test_box_without_an_inside_ends_with_the_remedy():
    with pytest.raises(MaskError, match='has no inside; .* y1 > y0, or is it upside$'):
        read_box([1, 4, 3, 2], remedy=', or is it upside')


def test_union_of_boxes_by_their_pixels_centres():
    np.testing.assert_array_equal(
        draw_boxes([(0, 0, 1.5, 1), (1.5, 1, 9, 1.6)], (2, 3)), [[1, 0, 0], [0, 1, 1]]
    )
    assert not draw_boxes([], (2, 3)).any()


@pytest.mark.parametrize(
    'bounds, outside',
    [
        ((0, 1, 0, 1), False),
        ((3, 2, 3, 2), False),
        ((3, 0, 3, 2), False),  # no area
        ((-1, 1, -1, 1), True),
        ((4, 1, 4, 1), True),
        ((3, 0, 5, 2), True),
        ((-2, 0, 0, 2), True),
        ((2, 0, 5, 2), False),
    ],
)
def test_only_what_has_no_area_may_lie_on_the_edge(bounds, outside):
    with pytest.raises(MaskError) if outside else nullcontext():
        check_in_image(bounds, (2, 3))


def test_box_outside_names_box_and_size():
    with pytest.raises(MaskError, match=r'\(3, 0\).* lies outside .* 3 x 2 pixels'):
        draw_boxes([(3, 0, 4, 1)], (2, 3))
