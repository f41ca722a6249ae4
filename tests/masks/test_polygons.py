"""Polygons: read, drawn, and held against their picture."""
from array import array

import numpy as np
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.polygons import check_bounds, draw_polygons, read_polygons

SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]


def test_polygons_are_read_as_doubles_and_drawn_as_their_union():
    read = read_polygons([SQUARE, [4, 0, 6, 0, 6, 1, 4, 1]], 'x')
    assert all(isinstance(p, array) and p.typecode == 'd' for p in read)
    mask = draw_polygons(read, (4, 6))
    assert mask.dtype == np.uint8 and mask.flags.c_contiguous
    np.testing.assert_array_equal(mask, [[0, 0, 0, 0, 1, 1], [0, 1, 1, 0, 0, 0],
                                         [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]])


@pytest.mark.parametrize('given', [None, [], {}, 'a', [[]], [SQUARE[:5]], [SQUARE[:7]],
                                   [None], SQUARE, [[*SQUARE[:5], None]],
                                   [[*SQUARE[:5], float('-inf')]],
                                   [[*SQUARE[:5], 10**400]]])
def test_what_is_no_polygon_says_where(given):
    with pytest.raises(MaskError, match='^x.json, annotation 3: expected'):
        read_polygons(given, 'x.json, annotation 3')


@pytest.mark.parametrize('bounds', [(0, 0, 6, 4), (-6, -4, 12, 8), (5.9, 0, 7, 1)])
def test_what_hangs_over_the_edge_is_accepted(bounds):
    check_bounds(bounds, (4, 6), 'x')


@pytest.mark.parametrize('bounds,how', [
    ((6, 0, 7, 1), 'lies outside'), ((0, -2, 6, 0), 'lies outside'),
    ((0, 0, 12.5, 4), 'goes far beyond'), ((0, -4.5, 6, 4), 'goes far beyond')])
def test_what_belongs_to_another_picture_is_refused(bounds, how):
    with pytest.raises(MaskError, match=f'^x: .* it {how} its image of 6 x 4 pixels'):
        check_bounds(bounds, (4, 6), 'x')
