"""Rasterisation of shapes: a pixel is inside if its centre is inside.

Coordinates are pixels, x to the right, y down, the image's corner at (0, 0), so that
the centre of row j, column k is (k + 0.5, j + 0.5). OpenCV and Pillow round corners to
whole pixels and also draw the outline, which enlarges objects. Here the polygon of a
box's corners gives the mask of the box. Time depends on the image's size only.
"""

import math
from collections.abc import Iterable

import cv2
import numpy as np

from cfcn_plugin.masks.errors import expect
from cfcn_plugin.options import check_choice, check_number

from .numbers import read_number
from .rectangles import check_in_image, draw_boxes

FAR = 1e7  # pixels; larger than any image
UNITS = ('pixel', 'diagonal')


def read_points(points, least: int) -> np.ndarray:
    """Points [[x, y], ...] of an annotation file, as float64 (N, 2), N >= ``least``.

    Raises:
        MaskError: ``points`` is not a list of points, or is too short.
    """
    try:
        array = np.array([_read_point(point) for point in points])
    except (TypeError, ValueError):
        array = np.zeros(0)
    expect(
        array.ndim == 2 and array.shape[1] == 2 and (abs(array) < FAR).all(),
        'points [[x, y], ...] of finite numbers',
        points,
    )
    expect(len(array) >= least, f'at least {least} points', len(array))
    return array


def _read_point(point) -> tuple[float, float]:
    if not isinstance(point, list | tuple):  # a text '12' is no x = 1, y = 2
        raise TypeError
    x, y = map(read_number, point)
    return x, y


def check_inside(points: np.ndarray, margin: float, shape: tuple) -> None:
    """Check that the bounds of points (N, 2), plus ``margin`` pixels, touch the image.

    Raises:
        MaskError: The points are outside the image.
    """
    lows, highs = points.min(0) - margin, points.max(0) + margin
    check_in_image((*lows.tolist(), *highs.tolist()), shape)


def check_radius(radius: float, unit: str) -> None:
    """Raise a ValueError if the radius is no number from 0 or the unit is unknown."""
    check_number('radius', radius, least=0, most=FAR)
    check_choice('unit', unit, UNITS)


def fill_polygon(points, shape: tuple[int, int], nonzero: bool = False) -> np.ndarray:
    """The inside of a closed polygon.

    All formats except COCO (pycocotools) and the drawing tool use this function. A
    centre on a left or upper edge is inside, a centre on a right or lower edge is
    outside, so that polygons with a common edge have no common pixel. Polygons that
    cross themselves follow the even-odd rule of LabelMe and pycocotools: an area
    enclosed twice is outside. With the nonzero rule, a freehand line that continues
    past its start leaves no hole.

    Args:
        points: (N, 2) of x, y; may lie outside the image. The polygon is closed from
            the last point to the first. Fewer than three points enclose nothing.
        shape: (H, W).
        nonzero: Whether an area enclosed twice in one direction is inside.

    Returns:
        uint8 {0, 1}, (H, W).
    """
    mask = np.zeros(shape, np.uint8)
    if len(points) < 3:
        return mask
    x, y = np.asarray(points, np.float64).T
    x_next, y_next = np.roll(x, -1), np.roll(y, -1)
    ends = np.ceil([y.min() - 0.5, y.max() - 0.5])  # first and last row of the polygon
    first, last = np.clip(ends, 0, shape[0]).astype(int).tolist()
    centres = np.arange(first, last) + 0.5
    edge, row = np.nonzero((y[:, None] <= centres) != (y_next[:, None] <= centres))
    along = (centres[row] - y[edge]) / (y_next[edge] - y[edge])
    crossing = x[edge] + along * (x_next[edge] - x[edge])
    # each crossing toggles inside and outside for all centres at or after the crossing
    size = len(centres), shape[1] + 1
    column = np.clip(np.ceil(crossing - 0.5), 0, shape[1]).astype(np.intp)
    down = np.where(y[edge] <= centres[row], 1, -1) if nonzero else None
    turns = np.bincount(row * size[1] + column, down, size[0] * size[1])
    winding = turns.reshape(size)[:, :-1].cumsum(1).astype(int)
    mask[first:last] = winding != 0 if nonzero else winding & 1
    return mask


def draw_ellipse(
    centre: tuple[float, float],
    radii: tuple[float, float],
    turn: float,
    shape: tuple[int, int],
) -> np.ndarray:
    """The inside of an ellipse.

    Args:
        centre: x, y.
        radii: In x and in y, > 0, before the turn.
        turn: Clockwise about the centre, in degrees.
        shape: (H, W).

    Returns:
        uint8 {0, 1}, (H, W).

    Raises:
        MaskError: The ellipse is outside the image.
    """
    check_in_image(ellipse_bounds(centre, radii, turn), shape)
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    x = np.arange(shape[1]) + 0.5 - centre[0]
    y = np.arange(shape[0])[:, None] + 0.5 - centre[1]
    along, across = (x * cos + y * sin) / radii[0], (y * cos - x * sin) / radii[1]
    return (along**2 + across**2 <= 1).astype(np.uint8)


def ellipse_bounds(
    centre: tuple[float, float], radii: tuple[float, float], turn: float
) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of :func:`draw_ellipse`'s ellipse."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    width = math.hypot(radii[0] * cos, radii[1] * sin)
    height = math.hypot(radii[0] * sin, radii[1] * cos)
    x, y = centre
    return x - width, y - height, x + width, y + height


def turn_points(points: np.ndarray, turn: float, about: np.ndarray) -> np.ndarray:
    """Points (N, 2) after a clockwise turn in degrees about a point (2, )."""
    angle = np.deg2rad(turn)
    return about + (points - about) @ np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )


def draw_outlines(outlines: Iterable, shape: tuple[int, int]) -> np.ndarray:
    """The union of boxes (tuples) and polygons (arrays (N, 2)) in pixels.

    Raises:
        MaskError: A box or polygon is outside the image.
    """
    outlines = list(outlines)
    mask = draw_boxes((one for one in outlines if isinstance(one, tuple)), shape, False)
    for one in outlines:
        if not isinstance(one, tuple):
            check_inside(one, 0, shape)
            mask |= fill_polygon(one, shape)
    return mask


def draw_stroke(points, radius: float, shape: tuple[int, int]) -> np.ndarray:
    """The pixels within ``radius`` of a line through points; a disc for one point.

    Args:
        points: (N, 2) of x, y, N >= 1; may lie outside the image.
        radius: In pixels, >= 0. The pixel that contains a point is always drawn.
        shape: (H, W).

    Returns:
        uint8 {0, 1}, (H, W).
    """
    mask = np.zeros(shape, np.uint8)
    points = np.asarray(points, np.float64)
    for x, y in points:
        row, column = math.floor(y), math.floor(x)
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            mask[row, column] = 1
    for start, end in zip(points, points[1:] if len(points) > 1 else points):
        _draw_segment(mask, start, end, radius)
    return mask


def _draw_segment(
    mask: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float
) -> None:
    """Draw a segment; only pixels in the segment's bounding box are computed."""
    lows, highs = np.minimum(start, end) - radius, np.maximum(start, end) + radius
    limits = mask.shape[::-1]
    left, top = np.clip(np.floor(lows), 0, limits).astype(int)
    right, bottom = np.clip(np.ceil(highs), 0, limits).astype(int)
    x, y = np.arange(left, right) + 0.5, np.arange(top, bottom)[:, None] + 0.5
    step = end - start
    length = step @ step
    along = (
        0
        if length == 0
        else np.clip(
            ((x - start[0]) * step[0] + (y - start[1]) * step[1]) / length, 0, 1
        )
    )
    distance = np.hypot(x - start[0] - along * step[0], y - start[1] - along * step[1])
    mask[top:bottom, left:right] |= distance <= radius


def dilate(mask: np.ndarray, radius: float) -> np.ndarray:
    """Dilate a mask, uint8 {0, 1}, (H, W), by a disc of ``radius`` >= 0 pixels."""
    if radius == 0 or not mask.any():
        return mask
    distance = cv2.distanceTransform(
        (mask == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return (distance <= radius).astype(np.uint8)


def pixel_radius(radius: float, unit: str, shape: tuple[int, int]) -> float:
    """A radius in pixels; the unit ``'diagonal'`` is the image's diagonal."""
    return radius * math.hypot(*shape) if unit == 'diagonal' else radius
