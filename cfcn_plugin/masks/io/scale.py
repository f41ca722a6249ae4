"""The scale of coordinates: pixels, fractions or percent of the image's size."""

from collections.abc import Sequence
from itertools import cycle

from cfcn_plugin.masks.errors import MaskError

EDGE = 0.01  # tolerance for fractions that converters round to outside the image
BESIDE = 0.5  # pixels; an object in (-0.5, 1.5) covers only the first pixel
PERCENT_EDGE = 1
OPTION = (
    'set normalized=True if they are fractions, or normalized=False if they are pixels'
)


def to_pixels(
    values: Sequence[float], shape: tuple[int, int], normalized: bool | None = None
) -> Sequence[float]:
    """Coordinates x0, y0, x1, y1, ... of one object in pixels.

    Args:
        values: The coordinates in the scale of the file.
        shape: (H, W) of the image.
        normalized: True: the values are fractions of the image's width and height.
            False: they are pixels. None: they are pixels, and an error if they look
            like fractions.

    Raises:
        MaskError: The values are of another scale.
    """
    check_scale(values, shape, normalized)
    if not normalized:
        return values
    return [value * size for value, size in zip(values, cycle(shape[::-1]))]


def check_scale(
    values: Sequence[float],
    shape: tuple[int, int],
    normalized: bool | None = None,
    remedy: str = OPTION,
) -> None:
    """Check the scale of one object's coordinates; see :func:`to_pixels`.

    Pixels look like fractions if they cover nothing but the first pixel of an image
    that is larger. A single point in whole numbers does not: as fractions, (1, 1) is
    the last corner of the image.

    Raises:
        MaskError: The values are of another scale.
    """
    low, high = min(values), max(values)
    if normalized and not -EDGE <= low <= high <= 1 + EDGE:
        raise MaskError(
            "expected fractions of the image's width and height within [0, 1], got "
            f'numbers from {low} to {high}: are the numbers pixels? If not, clip them '
            'to [0, 1]'
        )
    is_point = len(values) == 2
    beside = EDGE if is_point else BESIDE
    if (
        normalized is None
        and max(shape) > 1
        and -beside < low <= high < 1 + beside
        and not (is_point and all(value % 1 == 0 for value in values))
    ):
        raise MaskError(
            f'the numbers from {low} to {high} look like fractions of '
            f'the image of {shape[1]} x {shape[0]} pixels: {remedy}'
        )


def check_percent(values: Sequence[float], edge: float = PERCENT_EDGE) -> None:
    """Check that one object's coordinates are percent of the image's size.

    Args:
        values: The coordinates.
        edge: How far outside [0, 100] they may be.

    Raises:
        MaskError: The values are of another scale.
    """
    low, high = min(values), max(values)
    got = f'got numbers from {low} to {high}'
    if low < -edge or high > 100 + edge:
        raise MaskError(
            "expected percent of the image's width and height within "
            f'[0, 100], {got}: are the numbers pixels?'
        )
    if low >= 0 and high <= 1:
        raise MaskError(
            "expected percent of the image's width and height, "
            f'{got}, which look like fractions: multiply them by 100'
        )
