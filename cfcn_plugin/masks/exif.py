"""EXIF orientations: from the stored pixels of a photograph to the upright image."""
from pathlib import Path

import numpy as np
from PIL import Image

EXIF_ORIENTATION = 0x0112


def exif_orientation(image: Image.Image) -> int:
    """The orientation of an opened image, 1 to 8; 1 if it has none or another value."""
    orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def stored_orientation(path: str | Path) -> tuple[int, tuple[int, int]]:
    """The orientation of an image file and its stored (H, W), from its header."""
    with Image.open(path) as image:
        return exif_orientation(image), image.size[::-1]


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Stored pixels (..., H, W) turned to the upright image, contiguous."""
    if orientation > 4:
        pixels = pixels.swapaxes(-1, -2)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[..., ::rows, ::columns])
