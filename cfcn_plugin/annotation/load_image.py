"""Loading images as in training: upright by the EXIF orientation."""

from pathlib import Path

import cv2
import numpy as np

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.exif import stored_orientation


def load_image(path: str | Path) -> np.ndarray:
    """(H, W, 3) uint8, RGB: the same pixels as decoded by cv2 and mmcv.

    Raises:
        MaskError: The file cannot be decoded.
        OSError: The file cannot be opened.
    """
    return decode_image(np.fromfile(path, np.uint8), path)


def decode_image(
    content: np.ndarray, name: str | Path, flag: int = cv2.IMREAD_COLOR
) -> np.ndarray:
    """:func:`load_image` of a file's content, uint8 (N,).

    Args:
        content: The content.
        name: The image, for the message.
        flag: Of ``cv2.imdecode``, for an image of three channels.

    Raises:
        MaskError: The content cannot be decoded.
    """
    try:
        pixels = cv2.imdecode(content, flag)
    except cv2.error:  # an empty file, or too many pixels
        pixels = None
    if pixels is None:
        raise MaskError(f"image '{name}' cannot be read: is it whole?")
    return pixels[..., ::-1]


def image_shape(sample: dict) -> tuple[int, int]:
    """(H, W) of a sample's upright image, usually from the file's header.

    Args:
        sample: A dict with ``img_path``, or with the loaded ``img``.

    Raises:
        MaskError: The image cannot be read.
    """
    path = sample.get('img_path')
    if path is None:
        return np.shape(sample['img'])[:2]
    try:
        orientation, size = stored_orientation(path)
    except Exception as error:  # Pillow's plugins raise errors of many types
        raise MaskError(f"image '{path}' cannot be read ({error})") from error
    # cv2 applies the orientation for some file formats only
    return size if orientation == 1 else load_image(path).shape[:2]
