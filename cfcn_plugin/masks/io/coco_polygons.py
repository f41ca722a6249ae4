"""Polygons as COCO writes them, checked by themselves and against their image."""
import math
from array import array

from cfcn_plugin.masks.base import MaskError, expect

from .rectangles import Box, check_in_image


def read_polygons(given) -> list[array]:
    """A list of polygons [x0, y0, x1, y1, ...] as arrays of float64.

    Raises:
        MaskError: ``given`` is no list of polygons.
    """
    expect(isinstance(given, list) and given,
           'polygons [[x0, y0, x1, y1, ...], ...] or an RLE', given,
           "; use='bbox' takes the boxes")
    polygons = []
    for polygon in given:
        try:
            numbers = array('d', polygon) if isinstance(polygon, list) else ()
        except (TypeError, OverflowError):
            numbers = ()
        expect(len(numbers) >= 6 and len(numbers) % 2 == 0,
               'a polygon of at least three points, [x0, y0, x1, y1, x2, y2, ...], an '
               'even number of numbers', polygon)
        expect(math.isfinite(sum(numbers)), 'a polygon of finite numbers', polygon)
        polygons.append(numbers)
    return polygons


def polygon_bounds(polygon: array) -> Box:
    """(x0, y0, x1, y1) around a polygon [x0, y0, x1, y1, ...]."""
    x, y = polygon[::2], polygon[1::2]
    return min(x), min(y), max(x), max(y)


def check_bounds(bounds: Box, shape: tuple[int, int]) -> None:
    """Refuse an outline that cannot belong to an image of this size.

    An outline that hangs over the edge a little is cut off. One that goes an image's
    size beyond is of another image (and pycocotools walks along every edge, however
    far it goes, until memory ends).

    Raises:
        MaskError: (x0, y0, x1, y1) in pixels lies outside (H, W), or goes far beyond.
    """
    check_in_image(bounds, shape)
    x0, y0, x1, y1 = bounds
    height, width = shape
    if x0 < -width or y0 < -height or x1 > 2 * width or y1 > 2 * height:
        raise MaskError(
            f'from ({x0}, {y0}) to ({x1}, {y1}) it goes far beyond the '
            f'image of {width} x {height} pixels: are the numbers pixels of this '
            'image?')
