"""Reading the pixels of a mask's image file; an ambiguous file is an error."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile

from cfcn_plugin.masks.errors import MaskError, check_size
from cfcn_plugin.masks.exif import exif_orientation

from .open_image import FORMATS, open_image
from .palette import shown_values
from .plain_png import read_plain_png

# Pillow's modes that keep the values of the file
GREY = ('1', 'L', 'P', 'I', 'I;16', 'I;16B', 'I;16L', 'I;16N')
COLOUR = ('LA', 'RGB', 'RGBA')
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # of TIFF


def read_image(
    file: str | Path | BinaryIO,
    shape: tuple[int, int],
    colours: bool = False,
    values: Callable[[Image.Image], np.ndarray] = np.array,
) -> np.ndarray:
    """The values of an image file, as they are stored.

    Args:
        file: Path or stream.
        shape: (H, W) that the file must have. The size in the header is checked before
            decoding, which limits memory to the size of the image.
        colours: Return RGBA colours, also for a palette.
        values: Takes the values of the opened image, see :mod:`.palette`. The default
            gives the indices of a palette.

    Returns:
        (H, W), bool, uint8, uint16 or int32; for files with several channels
        (H, W, 2) grey and alpha, (H, W, 3) or (H, W, 4) uint8. With ``colours``
        always RGBA, (H, W, 4) uint8.

    Raises:
        MaskError: The file cannot be read, or its values are ambiguous.
    """
    if not colours and isinstance(file, str | Path):
        pixels = read_plain_png(file, shape)
        if pixels is not None:
            return pixels
    # refuse a truncated file, even if a library lets Pillow load truncated files
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with open_image(file) as image:
            _check(image, shape, colours)
            return np.array(image.convert('RGBA')) if colours else values(image)
    except MaskError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MaskError(
            f'more pixels than Pillow opens ({error}): is it a decompression '
            'bomb? If not, raise `PIL.Image.MAX_IMAGE_PIXELS`'
        ) from error
    except Exception as error:  # Pillow's formats raise errors of any type
        raise MaskError(
            f'cannot be read as an image ({str(error) or error!r}): is it '
            f'whole, and one of {", ".join(FORMATS)}?'
        ) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def read_nonblack(file: str | Path | BinaryIO, shape: tuple[int, int]) -> np.ndarray:
    """uint8 {0, 1}, (H, W), 1 where a pixel is shown, and not in black.

    Args and errors are those of :func:`read_image`.
    """
    values = read_image(file, shape, values=shown_values)
    if values.ndim == 2:
        return (values != 0).astype(np.uint8)
    shows = values[..., -1] != 0 if values.shape[-1] in (2, 4) else True
    colours = values[..., :3] if values.shape[-1] > 2 else values[..., :1]
    return ((colours != 0).any(-1) & shows).astype(np.uint8)


def _check(image: Image.Image, shape: tuple, colours: bool) -> None:
    check_size(image.size[::-1], shape)
    if getattr(image, 'is_animated', False):
        raise MaskError(
            f'{image.n_frames} frames or pages, expected one: save '
            'the one that is the mask'
        )
    raw = image.tile[0][-1] if image.tile else ''
    raw = raw if isinstance(raw, str) else str(raw[0])  # TIFF has more arguments
    if image.mode == 'L' and raw[:3] in ('L;2', 'L;4'):
        raise MaskError(
            f'grey of {raw[2]} bits, which some programs scale to 0 '
            'to 255 and some do not: save it as an 8-bit PNG'
        )
    # Pillow inverts files with fewer bits
    if (
        image.mode in GREY[3:]
        and image.format == 'TIFF'
        and image.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    ):
        raise MaskError(
            '16 bits where 0 is white, which some programs invert and some '
            'do not: save it as a 16-bit PNG'
        )
    known = (*GREY[:3], *COLOUR, 'PA') if colours else (*GREY, *COLOUR)
    if image.mode not in known:
        raise MaskError(
            f"pixels of mode '{image.mode}', expected one of {known}: "
            f'save it as an 8-bit PNG'
        )
    orientation = exif_orientation(image)  # last: this may decode a PNG
    if orientation != 1:
        raise MaskError(
            f'an EXIF orientation of its own ({orientation}), by which some programs '
            'turn it and some do not: save it without EXIF'
        )
