"""Turning the mask of a photograph as its image was turned when it was loaded."""

from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from .errors import MaskError
from .exif import is_upright, stored_orientation

LOAD_UPRIGHT = (
    "load it with color_type='color' and imdecode_backend='cv2' ('pillow' for AVIF; in "
    'a torch data set: ImageFolder(loader=cfcn_plugin.data.load_image))'
)


class MaskTurn(NamedTuple):
    """How to turn a mask.

    Attributes:
        orientation: The EXIF orientation of the image's file, 1 for none.
        turn: The orientation to apply to the mask, 1 for no change.
        problem: What forbids to use the mask; empty if there is no problem.
    """

    orientation: int
    turn: int = 1
    problem: str = ''


def mask_turn(sample: dict, shape: tuple[int, int], exif: bool) -> MaskTurn:
    """The EXIF orientation to apply to a mask, and what forbids to use the mask.

    Args:
        sample: Has ``img_path``, and ``img`` if the image was loaded. Without ``img``
            the image counts as upright.
        shape: (H, W) of the loaded image.
        exif: Whether the mask is like the stored pixels, and not upright.

    Raises:
        MaskError: With ``exif``, the file's orientation cannot be read.
    """
    orientation, size = _orientation_of(sample, exif)
    if orientation == 1:
        return MaskTurn(1)
    shape_tells = orientation > 4 and size != size[::-1]
    if shape_tells:
        upright = shape != size
    else:
        pixels = image_pixels(sample.get('img'))
        upright = pixels is None or is_upright(pixels, sample['img_path'])
    if upright is None:
        return MaskTurn(
            orientation,
            problem=(
                f'has an EXIF orientation ({orientation}), and its pixels do not show '
                'whether it was loaded with it: save it upright, without EXIF'
            ),
        )
    if upright or exif or shape_tells:  # a wrong mask then has another shape
        return MaskTurn(orientation, orientation if exif and upright else 1)
    return MaskTurn(
        orientation,
        problem=(
            f'has an EXIF orientation ({orientation}) and was loaded without it: '
            f'{LOAD_UPRIGHT}, or set `exif=True` if the mask is like the stored pixels'
        ),
    )


def image_pixels(image: Any) -> np.ndarray | None:
    """(H, W) or (H, W, C) of an array, PIL image or tensor (C, H, W); None of None."""
    if isinstance(image, torch.Tensor):
        return np.asarray(image.movedim(0, -1) if image.ndim == 3 else image)
    if isinstance(image, Image.Image):
        return np.asarray(image if image.mode in ('L', 'RGB') else image.convert('RGB'))
    return image


def size_remedy(size: tuple, shape: tuple, sample: dict, exif: bool) -> str:
    """What to do about a mask of another (H, W) ``size`` than its image's ``shape``.

    Empty if no EXIF orientation can be the cause.
    """
    orientation, file_size = _orientation_of(sample, exif)
    if orientation <= 4 or size != shape[::-1]:
        return ''
    if exif:
        remedy = 'the mask is upright: leave `exif=True` out'
    elif size == file_size:
        remedy = 'the mask is like the stored pixels: set `exif=True`'
    else:
        remedy = f'was loaded without it: {LOAD_UPRIGHT}'
    return f'. The image has an EXIF orientation, and {remedy}'


def _orientation_of(sample: dict, exif: bool) -> tuple[int, tuple[int, int] | None]:
    path = sample.get('img_path')
    try:
        return (1, None) if path is None else stored_orientation(path)
    except Exception as error:  # Pillow's plugins raise errors of many types
        if exif:
            raise MaskError(
                f"the EXIF orientation of image '{path}' cannot be read ({error})"
            ) from error
        return 1, None  # not a file here, or of a format without EXIF
