"""The shapes in ``annotations.xml`` of CVAT's export "CVAT for images 1.1".

The numbers are pixels; the image's corner is (0, 0).
"""

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from cfcn_plugin.masks.errors import MaskError, at, expect

from .archive import Archive
from .numbers import read_whole
from .rectangles import check_in_image, read_box
from .scale import check_scale
from .shapes import (
    check_inside,
    draw_ellipse,
    ellipse_bounds,
    fill_polygon,
    read_points,
    turn_points,
)
from .xml_tree import parse_xml, read_xml

ANNOTATIONS = 'annotations.xml'
NO_AREAS = ('points', 'polyline', 'skeleton')
RATIO = 100  # of unpacked to packed size; real annotations have far less
CORNERS = ('xtl', 'ytl', 'xbr', 'ybr')
BOUNDS = ('left', 'top', 'width', 'height')
ELLIPSE = ('cx', 'cy', 'rx', 'ry')
PIXELS = 'CVAT writes pixels: multiply the numbers by the size of the image'


def read_annotations(path: Path) -> Element:
    """The root of ``annotations.xml`` of a zip or folder, or of the file itself.

    Raises:
        MaskError: The file cannot be read, or is not XML.
    """
    if path.is_file() and not zipfile.is_zipfile(path):
        return read_xml(path)
    most = RATIO * path.stat().st_size if path.is_file() else sys.maxsize
    with at(f"'{ANNOTATIONS}'"):
        return parse_xml(Archive(path).read(ANNOTATIONS, most))


def read_size(image: Element) -> tuple[int, int]:
    """(H, W) of an image."""
    height, width = _whole_numbers(image, ('height', 'width'))
    expect(height and width, 'width and height over 0', image.attrib)
    return height, width


def read_shape(shape: Element, size: tuple[int, int]) -> tuple:
    """The outline of a polygon, box, ellipse or mask, which marshal can write.

    Args:
        shape: The element.
        size: (H, W) of its image.

    Returns:
        The bytes of the points of a polygon, float64 (N, 2); or centre, radii and turn
        of an ellipse; or left, top, width, height, and the bytes of a mask's run
        lengths, int64.

    Raises:
        MaskError: The shape cannot be read, or is outside the image.
    """
    if shape.tag == 'mask':
        return _read_mask(shape, size)
    ((turn, _),) = read_points([(shape.get('rotation', '0'), '0')], 1).tolist()
    if shape.tag == 'ellipse':
        x, y, *radii = (shape.get(name) for name in ELLIPSE)
        centre, radii = map(tuple, read_points([(x, y), radii], 2).tolist())
        expect(min(radii) > 0, "'rx' and 'ry' over 0", radii)
        check_scale((*centre, *radii), size, remedy=PIXELS)
        check_in_image(ellipse_bounds(centre, radii, turn), size)
        return centre, radii, turn
    if shape.tag == 'polygon':
        pairs = [pair.split(',') for pair in shape.get('points', '').split(';')]
        points = read_points(pairs, 3)
    elif shape.tag == 'box':
        x0, y0, x1, y1 = read_box([shape.get(name) for name in CORNERS])
        points = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        points = turn_points(points, turn, points.mean(0))
    else:
        raise MaskError(
            'expected a polygon, box, ellipse or mask: draw one of them, or leave '
            f"'{shape.get('label')}' out of `categories`"
        )
    check_scale(points.ravel().tolist(), size, remedy=PIXELS)
    check_inside(points, 0, size)
    return (points.tobytes(),)


def draw_shapes(
    shapes: Iterable[tuple[str, tuple]], size: tuple[int, int]
) -> np.ndarray:
    """The union of (place, shape of :func:`read_shape`), uint8 {0, 1}, (H, W)."""
    mask = np.zeros(size, np.uint8)
    for place, shape in shapes:
        with at(place):
            if len(shape) == 1:
                mask |= fill_polygon(np.frombuffer(shape[0]).reshape(-1, 2), size)
            elif len(shape) == 3:
                mask |= draw_ellipse(*shape, size)
            else:
                left, top, width, height, packed = shape
                runs = np.frombuffer(packed, np.int64)
                values = (np.arange(len(runs)) % 2).astype(np.uint8)
                inside = np.repeat(values, runs).reshape(height, width)
                mask[top : top + height, left : left + width] |= inside
    return mask


def _read_mask(shape: Element, size: tuple[int, int]) -> tuple:
    """Run lengths of rows in a box, the first of context."""
    left, top, width, height = bounds = _whole_numbers(shape, BOUNDS)
    if left + width > size[1] or top + height > size[0]:
        raise MaskError(
            f'{dict(zip(BOUNDS, bounds))} leaves the image of {size[1]} x '
            f'{size[0]} pixels'
        )
    runs = list(map(_whole, shape.get('rle', '').split(',')))
    expect(
        None not in runs and sum(runs) == width * height > 0,
        f"run lengths 'rle' that add up to {width} * {height}",
        shape.get('rle'),
    )
    # drawing allocates the pixels, when the size of the image is known
    return *bounds, np.array(runs, np.int64).tobytes()


def _whole_numbers(element: Element, names: tuple[str, ...]) -> list[int]:
    numbers = [_whole(element.get(name, '')) for name in names]
    expect(
        None not in numbers,
        f'whole numbers {names}',
        [element.get(name) for name in names],
    )
    return numbers


def _whole(text: str) -> int | None:
    try:
        return read_whole(text)
    except ValueError:
        return None
