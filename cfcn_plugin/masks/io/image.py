"""Reading the pixels of a mask's image file; an ambiguous file is an error."""
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile

from cfcn_plugin.masks.base import MaskError, check_size

# Pillow's modes that keep the values of the file
GREY = ('1', 'L', 'P', 'I', 'I;16', 'I;16B', 'I;16L', 'I;16N')
COLOUR = ('LA', 'PA', 'RGB', 'RGBA')


def read_image(file: str | Path | BinaryIO,
               shape: tuple[int, int],
               colours: bool = False) -> np.ndarray:
    """The values of an image file, as they are stored.

    Args:
        file: Path or stream.
        shape: (H, W) that the file must have. The size in the header is checked before
            decoding, which limits memory to the size of the image.
        colours: Return RGBA colours, also for a palette.

    Returns:
        (H, W), bool, uint8, uint16 or int32; for files with several channels
        (H, W, 2) grey and alpha, (H, W, 3) or (H, W, 4) uint8. With ``colours``
        always RGBA, (H, W, 4) uint8.

    Raises:
        MaskError: The file cannot be read, or its values are ambiguous.
    """
    # refuse a truncated file, even if a library lets Pillow load truncated files
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with Image.open(file) as image:
            _check(image, shape, colours)
            return np.array(image.convert('RGBA') if colours else image)
    except MaskError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MaskError(
            f'more pixels than Pillow opens ({error}): is it a decompression '
            'bomb? If not, raise `PIL.Image.MAX_IMAGE_PIXELS`') from error
    except Exception as error:  # Pillow's formats raise errors of any type
        raise MaskError(f'cannot be read as an image ({str(error) or error!r}): is it '
                        'whole?') from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _check(image: Image.Image, shape: tuple, colours: bool) -> None:
    check_size(image.size[::-1], shape)
    if getattr(image, 'is_animated', False):
        raise MaskError(f'{image.n_frames} frames or pages, expected one: save '
                        'the one that is the mask')
    if image.mode == 'L' and image.tile and image.tile[0][-1] in ('L;2', 'L;4'):
        raise MaskError(
            f'grey of {image.tile[0][-1][-1]} bits, which some programs scale to 0 '
            'to 255 and some do not: save it as an 8-bit PNG')
    known = (*GREY[:3], *COLOUR) if colours else (*GREY, *COLOUR)
    if image.mode not in known:
        raise MaskError(
            f"pixels of mode '{image.mode}', expected one of {known}: "
            f'save it as an 8-bit PNG')
