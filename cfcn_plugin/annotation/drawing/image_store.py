"""The images of the page: decoded once, encoded for the browser, and thumbnails."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from cfcn_plugin.annotation.load_image import decode_image, load_image
from cfcn_plugin.masks.exif import stored_orientation

THUMBNAIL = 96  # pixels of the longest side
LONGEST = 4096  # of the image that is shown; masks keep the image's size
LOSSLESS = 2_000_000  # pixels; larger images travel as JPEG


class ImageStore:
    """Loads the images below a folder; the last images stay decoded.

    Args:
        folder: Folder of images.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.load = lru_cache(3)(self._load)
        self.thumbnail = lru_cache(4096)(self._thumbnail)

    def _load(self, name: str) -> np.ndarray:
        """uint8 (H, W, 3), RGB, upright.

        Raises:
            MaskError, OSError: The image cannot be read.
        """
        return load_image(self.folder / name)

    def encoded(self, name: str) -> tuple[bytes, str]:
        """The image for the browser, at most 4096 pixels long, and its media type."""
        pixels = shrink(self.load(name), LONGEST)
        if pixels.shape[0] * pixels.shape[1] <= LOSSLESS:
            return encode(pixels, '.png', cv2.IMWRITE_PNG_COMPRESSION, 1), 'image/png'
        return encode(pixels, '.jpg', cv2.IMWRITE_JPEG_QUALITY, 92), 'image/jpeg'

    def _thumbnail(self, name: str) -> bytes:
        """A small JPEG image; JPEG files are decoded at an eighth of their size."""
        content = np.fromfile(self.folder / name, np.uint8)
        pixels = decode_image(content, name, cv2.IMREAD_REDUCED_COLOR_8)
        if max(pixels.shape[:2]) < THUMBNAIL:
            pixels = decode_image(content, name)
        small = shrink(pixels, THUMBNAIL)
        return encode(small, '.jpg', cv2.IMWRITE_JPEG_QUALITY, 80)

    def orientation(self, name: str) -> int:
        """The EXIF orientation of the file, 1 to 8; 1 if the file cannot tell."""
        try:
            return stored_orientation(self.folder / name)[0]
        except Exception:  # Pillow's plugins raise errors of many types
            return 1


def shrink(pixels: np.ndarray, longest: int) -> np.ndarray:
    """Pixels (H, W, ...), reduced if a side is longer than ``longest``."""
    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def encode(pixels: np.ndarray, ending: str, *options: int) -> bytes:
    """A file of pixels (H, W, 3) uint8, RGB, of the format of an ending."""
    return cv2.imencode(ending, pixels[..., ::-1], options)[1].tobytes()
