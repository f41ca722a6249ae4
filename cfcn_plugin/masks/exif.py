"""EXIF orientations: how the stored pixels of a photograph become the upright image."""
from pathlib import Path

import numpy as np
from PIL import Image

EXIF_ORIENTATION = 0x0112
# orientation -> stored rows and columns to the upright image; from 5 on the sides swap
_TO_UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[..., :, ::-1],
    3: lambda a: a[..., ::-1, ::-1],
    4: lambda a: a[..., ::-1, :],
    5: lambda a: a.swapaxes(-1, -2),
    6: lambda a: a.swapaxes(-1, -2)[..., :, ::-1],
    7: lambda a: a.swapaxes(-1, -2)[..., ::-1, ::-1],
    8: lambda a: a.swapaxes(-1, -2)[..., ::-1, :],
}


def exif_orientation(image: Image.Image) -> int:
    """The orientation of an opened image, 1 to 8; 1 if it has none or another value."""
    orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    return orientation if orientation in _TO_UPRIGHT else 1


def stored_orientation(path: str | Path) -> tuple[int, tuple[int, int]]:
    """The orientation of an image file and its stored (H, W), from its header."""
    with Image.open(path) as image:
        return exif_orientation(image), image.size[::-1]


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Stored pixels (..., H, W) as the upright image has them, contiguous."""
    return np.ascontiguousarray(_TO_UPRIGHT[orientation](pixels))
