"""Rasterised shapes against manual masks and a slow loop over pixel centres."""

import itertools
import json

import numpy as np
import pytest
from skimage.draw import polygon2mask

from cfcn_plugin.masks import LabelMeMasks
from cfcn_plugin.masks.io.shapes import dilate, draw_stroke, fill_polygon, pixel_radius

SHAPE = (12, 17)


def centres(shape=SHAPE):
    return [(j, k, k + 0.5, j + 0.5) for j, k in np.ndindex(*shape)]


# ---- polygons --------------------------------------------------------------


def test_triangle_by_hand():
    mask = fill_polygon([(0, 0), (4, 0), (0, 4)], (4, 5))
    assert mask.dtype == np.uint8
    # centres on the hypotenuse belong to its right-hand side, as in a box
    np.testing.assert_array_equal(
        mask, [[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    )


@pytest.mark.parametrize(
    'box',
    [
        (1, 1, 4, 3),
        (0.5, 0.5, 3.5, 2.5),
        (0.4, 0, 2.6, 9),
        (-5, -5, 2, 2),
        (3, 2, 99, 99),
        (2.6, 2.6, 3.4, 3.4),
    ],
)
def test_polygon_of_a_box_is_the_box(box):
    x0, y0, x1, y1 = box
    expected = np.zeros(SHAPE, np.uint8)
    for j, k, x, y in centres():
        expected[j, k] = x0 <= x < x1 and y0 <= y < y1
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    np.testing.assert_array_equal(fill_polygon(corners, SHAPE), expected)
    np.testing.assert_array_equal(fill_polygon(corners[::-1], SHAPE), expected)


@pytest.mark.parametrize('seed', range(10))
def test_polygon_agrees_with_scikit_image(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-5, 22, (rng.integers(3, 9), 2))
    # scikit-image has rows first and centres at whole numbers
    expected = polygon2mask(SHAPE, points[:, ::-1] - 0.5)
    np.testing.assert_array_equal(fill_polygon(points, SHAPE), expected)


def test_neighbours_share_no_pixel_and_leave_none():
    cut = [(3.2, -1), (9.5, 4.5), (5.5, 13)]
    left = fill_polygon([(0, -1), *cut, (0, 13)], SHAPE)
    right = fill_polygon([(17, -1), *cut, (17, 13)], SHAPE)
    np.testing.assert_array_equal(left + right, np.ones(SHAPE))


def test_polygon_outside_or_without_area_is_empty():
    assert not fill_polygon([(20, 20), (30, 20), (30, 30)], SHAPE).any()
    assert not fill_polygon([(2, 2), (2, 2), (2, 2)], SHAPE).any()
    assert not fill_polygon([(2, 2), (9, 9), (2, 2)], SHAPE).any()


def test_far_points_cost_nothing():
    mask = fill_polygon([(-1e300, -1e300), (1e300, -1e300), (0, 1e300)], SHAPE)
    assert mask.all()


@pytest.mark.parametrize('points', [[], [(1, 1)], [(1, 1), (5, 5)], [(2, 2)] * 9])
def test_line_without_an_inside_encloses_nothing(points):
    assert not fill_polygon(points, SHAPE).any()


def test_polygon_that_hangs_over_the_edge_is_cut_off():
    assert fill_polygon([(-9, -9), (99, -9), (99, 99), (-9, 99)], SHAPE).all()
    assert not fill_polygon([(-9, 1), (-1, 1), (-1, 5), (-9, 5)], SHAPE).any()
    assert not fill_polygon([(1, 50), (5, 50), (3, 60)], SHAPE).any()


def test_area_that_is_enclosed_twice_is_outside():
    square = [(1, 1), (6, 1), (6, 5), (1, 5)]
    inner = [(2, 2), (4, 2), (4, 4), (2, 4)]
    expected = fill_polygon(square, SHAPE) - fill_polygon(inner, SHAPE)
    twice = [*square, square[0], *inner, inner[0]]
    np.testing.assert_array_equal(fill_polygon(twice, SHAPE), expected)


def test_line_drawn_on_past_its_start_leaves_no_hole_by_the_nonzero_rule():
    square = [(1, 1), (6, 1), (6, 5), (1, 5)]
    for corners in (square, square[::-1]):
        np.testing.assert_array_equal(
            fill_polygon(corners + corners[:3], SHAPE, nonzero=True),
            fill_polygon(square, SHAPE),
        )


def slow(points):
    """The winding number at each pixel's centre, by the angles of the points."""
    mask = np.zeros(SHAPE, np.uint8)
    for j, k, x, y in centres():
        seen = np.subtract(points, (x, y))
        angle = np.arctan2(seen[:, 1], seen[:, 0])
        turn = np.diff(np.append(angle, angle[0]))
        turn = (turn + np.pi) % (2 * np.pi) - np.pi
        mask[j, k] = round(turn.sum() / (2 * np.pi)) % 2
    return mask


@pytest.mark.parametrize('seed', range(5))
def test_polygon_that_crosses_itself_is_as_the_slow_loop_has_it(seed):
    points = np.random.default_rng(seed).uniform(-4, 20, (9, 2))
    np.testing.assert_array_equal(fill_polygon(points, SHAPE), slow(points))


@pytest.mark.parametrize('seed', range(5))
def test_simple_polygon_is_one_mask_in_labelme_and_in_the_drawing_tool(tmp_path, seed):
    points = np.random.default_rng(seed).uniform(-2, 19, (3 + seed * 2, 2))
    # around the centre, so that the polygon does not cross itself
    points = points[np.argsort(np.arctan2(*(points - points.mean(0)).T))]
    (tmp_path / 'a.json').write_text(
        json.dumps(
            dict(
                shapes=[dict(label='cow', points=points.tolist(), shape_type='polygon')]
            )
        )
    )
    drawn = fill_polygon(points, SHAPE, nonzero=True)
    record = LabelMeMasks('', '', str(tmp_path))(
        dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=SHAPE)
    )
    assert drawn.any()
    np.testing.assert_array_equal(record.mask, drawn)


# ---- strokes ---------------------------------------------------------------


def stroke_by_hand(points, radius, steps=2001):
    """Distances to many points along the line."""
    mask = np.zeros(SHAPE, np.uint8)
    ends = list(itertools.pairwise(points)) or [(points[0], points[0])]
    along = np.linspace(0, 1, steps)[:, None]
    line = np.concatenate(
        [(1 - along) * np.array(a) + along * np.array(b) for a, b in ends]
    )
    for j, k, x, y in centres():
        mask[j, k] = np.hypot(*(line - (x, y)).T).min() <= radius
    for x, y in points:
        mask[int(y), int(x)] = 1
    return mask


@pytest.mark.parametrize(
    'points',
    [[(5, 5)], [(0.2, 11.9)], [(2, 3), (14, 9)], [(14, 3), (2, 3), (2, 10), (9, 11)]],
)
@pytest.mark.parametrize('radius', [0, 0.3, 2.3, 40])
def test_stroke_is_what_is_within_the_radius(points, radius):
    mask = draw_stroke(points, radius, SHAPE)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, stroke_by_hand(points, radius))


def test_disc_of_one_pixel_is_the_pixel_it_lies_in():
    mask = draw_stroke([(3.9, 2.1)], 0, SHAPE)
    assert mask.sum() == 1 and mask[2, 3] == 1


def test_stroke_outside_the_image_is_drawn_as_far_as_it_is_inside():
    assert draw_stroke([(-1, 3.5)], 2, SHAPE).sum() == 3  # rows 2 to 4 of column 0
    assert not draw_stroke([(-1e9, 1e9)], 2, SHAPE).any()


# ---- dilation --------------------------------------------------------------


@pytest.mark.parametrize('radius', [0, 1, 1.5, 2, 5])
def test_dilation_is_what_is_within_the_radius(radius):
    mask = (np.random.default_rng(0).random(SHAPE) > 0.97).astype(np.uint8)
    expected = np.zeros(SHAPE, np.uint8)
    for j, k in np.ndindex(*SHAPE):
        far = np.hypot(*(np.argwhere(mask) - (j, k)).T)
        expected[j, k] = far.min() <= radius
    np.testing.assert_array_equal(dilate(mask, radius), expected)


def test_dilation_of_nothing_is_nothing():
    assert not dilate(np.zeros(SHAPE, np.uint8), 3).any()


def test_radius_may_be_a_fraction_of_the_diagonal():
    assert pixel_radius(0.1, 'diagonal', (30, 40)) == 5
    assert pixel_radius(7, 'pixel', (30, 40)) == 7
