"""Which pixels an outline encloses, by hand and against a slow loop."""
import numpy as np
import pytest

from cfcn_plugin.annotation.rasterize import inside_outline


def filled(vertices, height=6, width=8):
    mask = np.zeros((height, width), int)
    rows, inside = inside_outline(vertices, height, width)
    mask[rows] = inside
    return mask


def slow(vertices, height, width):
    """Nonzero winding number at each pixel's centre, by the angles it is seen under."""
    mask = np.zeros((height, width), int)
    vertices = np.asarray(vertices, float)
    for y in range(height):
        for x in range(width):
            seen = vertices - (x + 0.5, y + 0.5)
            angle = np.arctan2(seen[:, 1], seen[:, 0])
            turn = np.diff(np.append(angle, angle[0]))
            turn = (turn + np.pi) % (2 * np.pi) - np.pi
            mask[y, x] = round(turn.sum() / (2 * np.pi)) != 0
    return mask


def test_square_covers_the_pixels_between_its_edges():
    expected = np.zeros((6, 8), int)
    expected[1:4, 2:5] = 1
    np.testing.assert_array_equal(filled([(2, 1), (5, 1), (5, 4), (2, 4)]), expected)


def test_pixel_is_inside_when_its_centre_is():
    assert filled([(0.4, 0), (0.4, 1), (2, 1), (2, 0)])[0].tolist()[:3] == [1, 1, 0]
    assert filled([(0.6, 0), (0.6, 1), (2, 1), (2, 0)])[0].tolist()[:3] == [0, 1, 0]


def test_direction_does_not_matter():
    vertices = [(1, 1), (6, 2), (4, 5)]
    np.testing.assert_array_equal(filled(vertices), filled(vertices[::-1]))


def test_line_drawn_on_past_its_start_leaves_no_hole():
    square = [(1, 1), (6, 1), (6, 5), (1, 5)]
    np.testing.assert_array_equal(filled(square + square[:3]), filled(square))


def test_what_hangs_over_the_edge_is_cut_off():
    assert filled([(-9, -9), (99, -9), (99, 99), (-9, 99)]).all()
    assert not filled([(-9, 1), (-1, 1), (-1, 5), (-9, 5)]).any()
    assert not filled([(1, 50), (5, 50), (3, 60)]).any()


@pytest.mark.parametrize('vertices', [[], [(1, 1)], [(1, 1), (5, 5)], [(2, 2)] * 9])
def test_line_without_an_inside_encloses_nothing(vertices):
    assert not filled(vertices).any()


@pytest.mark.parametrize('seed', range(5))
def test_any_outline_is_as_the_slow_loop_has_it(seed):
    rng = np.random.default_rng(seed)
    vertices = rng.uniform(-4, 24, (9, 2))
    np.testing.assert_array_equal(filled(vertices, 20, 16), slow(vertices, 20, 16))
