"""Boxes: reading, checking, and the pixels inside."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from cfcn_plugin.masks.errors import MaskError, expect

from .numbers import read_number
from .scale import to_pixels

Box = tuple[float, float, float, float]


def read_box(values: Sequence, format: str = 'xyxy', remedy: str = '') -> Box:
    """A box (x0, y0, x1, y1) from four numbers or numeric strings.

    Args:
        values: The numbers.
        format: ``'xyxy'`` (corners) or ``'xywh'`` (corner and size).
        remedy: Appended to the message for a box without an inside.

    Raises:
        MaskError: ``values`` are not four finite numbers, or the box has no inside.
    """
    try:
        x0, y0, x1, y1 = box = list(map(read_number, values))
    except (TypeError, ValueError):
        box = []
    expect(box, 'four finite numbers', values)
    if format == 'xywh':
        x1, y1 = x0 + x1, y0 + y1
    if not (x1 > x0 and y1 > y0):
        raise MaskError(
            f'box {[x0, y0, x1, y1]} has no inside; expected x1 > x0 and '
            f'y1 > y0{remedy}'
        )
    return x0, y0, x1, y1


def check_upright(turn) -> None:
    """Check CVAT's attribute ``rotation`` of a box, in degrees, if there is one.

    CVAT's exports to other formats have the box before it was turned.

    Raises:
        MaskError: The box is turned.
    """
    try:
        is_turned = read_number(turn) % 180 != 0
    except ValueError:  # no attribute, or not CVAT's
        return
    if is_turned:
        raise MaskError(
            f"the attribute 'rotation' turns its box by {turn} degrees: "
            'export "CVAT for images 1.1", which CVATMasks reads'
        )


def draw_boxes(
    boxes: Iterable[Box], shape: tuple[int, int], normalized: bool | None = None
) -> np.ndarray:
    """The union of boxes (x0, y0, x1, y1) as a mask, uint8 {0, 1}, (H, W).

    The image's corner is (0, 0). A pixel is inside if its centre is inside. Boxes are
    clipped to the image. ``normalized`` is their scale, see :func:`.to_pixels`.

    Raises:
        MaskError: A box is outside the image, or has another scale.
    """
    mask = np.zeros(shape, np.uint8)
    for box in boxes:
        x0, y0, x1, y1 = to_pixels(box, shape, normalized)
        check_in_image((x0, y0, x1, y1), shape)
        mask[_pixels(y0, y1), _pixels(x0, x1)] = 1
    return mask


def check_in_image(bounds: Box, shape: tuple[int, int]) -> None:
    """Check that bounds (x0, y0, x1, y1) in pixels overlap an image of (H, W).

    Bounds without width or height (a point or a line) may be on the image's edge.

    Raises:
        MaskError: The bounds are outside the image.
    """
    x0, y0, x1, y1 = bounds
    height, width = shape
    if _is_beyond(x0, x1, width) or _is_beyond(y0, y1, height):
        raise MaskError(
            f'from ({x0}, {y0}) to ({x1}, {y1}) it lies outside the image of {width} x '
            f'{height} pixels: are the numbers pixels of this image?'
        )


def _is_beyond(low: float, high: float, size: int) -> bool:
    if low == high:
        return not 0 <= low <= size
    return low >= size or high <= 0


def _pixels(low: float, high: float) -> slice:
    """Pixels with their centre in [low, high)."""
    return slice(*(max(math.ceil(edge - 0.5), 0) for edge in (low, high)))
