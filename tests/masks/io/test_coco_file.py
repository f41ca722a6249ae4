"""COCO polygons: reading, and the check against their image."""

from array import array

import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.coco_file import check_bounds, read_polygons

SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]


def test_polygons_are_read_as_doubles():
    read = read_polygons([SQUARE, [4, 0, 6, 0, 6, 1, 4, 1]])
    assert all(isinstance(p, array) and p.typecode == 'd' for p in read)
    assert [len(p) for p in read] == [8, 8] and read[0].tolist() == SQUARE


@pytest.mark.parametrize(
    'given',
    [
        None,
        [],
        {},
        'a',
        [[]],
        [SQUARE[:5]],
        [SQUARE[:7]],
        [None],
        SQUARE,
        [[*SQUARE[:5], None]],
        [[*SQUARE[:5], float('-inf')]],
        [[*SQUARE[:5], 10**400]],
    ],
)
def test_what_is_no_polygon_is_refused(given):
    with pytest.raises(MaskError, match='^expected'):
        read_polygons(given)


@pytest.mark.parametrize('bounds', [(0, 0, 6, 4), (-6, -4, 12, 8), (5.9, 0, 7, 1)])
def test_what_hangs_over_the_edge_is_accepted(bounds):
    check_bounds(bounds, (4, 6))


@pytest.mark.parametrize(
    'bounds,how',
    [
        ((6, 0, 7, 1), 'lies outside'),
        ((0, -2, 6, 0), 'lies outside'),
        ((0, 0, 12.5, 4), 'goes far beyond'),
        ((0, -4.5, 6, 4), 'goes far beyond'),
    ],
)
def test_what_belongs_to_another_image_is_refused(bounds, how):
    with pytest.raises(MaskError, match=f'^from .* it {how} the image of 6 x 4 pixels'):
        check_bounds(bounds, (4, 6))
