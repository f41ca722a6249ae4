"""Checks that image and mask agree in size and flip."""

import numpy as np
from PIL import Image

from cfcn_plugin.masks.mask_query import describe_image

# Keys of the arrays that move with the image
MOVED = ('activation_mask', 'ignore_mask', 'source_positions')
REMEDY = "dict(type='MaskAware', transform=dict(...))"


def moved_planes(results: dict) -> dict[str, np.ndarray]:
    """The arrays of a sample that move with its image, by key."""
    return {key: results[key] for key in MOVED if key in results}


def check_sizes(results: dict, image, when: str) -> None:
    """Raise a ValueError if a mask differs from the image in size.

    Args:
        results: A sample's dict.
        image: The image as array (H, W, C), PIL image or tensor (C, H, W).
        when: Beginning of the message, such as ``'after Resize'``.
    """
    if isinstance(image, Image.Image):
        size = image.size[::-1]
    else:
        size = tuple(
            image.shape[:2] if isinstance(image, np.ndarray) else image.shape[-2:]
        )
    for key, mask in moved_planes(results).items():
        if mask.shape[-2:] != size:
            raise ValueError(
                f'{when}, `{key}` of {describe_image(results)} has height and width '
                f'{mask.shape[-2:]}, its image {size}: wrap every earlier transform '
                f'that moves pixels, {REMEDY}'
            )


def check_flips(results: dict, when: str) -> None:
    """Raise a ValueError if the image was flipped and its mask was not."""
    if results.get('flip', False) != results.get('mask_flip', False):
        raise ValueError(
            f'{when}, the {describe_image(results)} was flipped and its mask was not: '
            f'wrap the flip, {REMEDY}'
        )
