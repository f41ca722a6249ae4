"""EXIF orientations: from the stored pixels of a photograph to the upright image."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image

from .errors import MaskError
from .io.jpeg_header import jpeg_without_exif
from .io.open_image import open_image

EXIF_ORIENTATION = 0x0112
INVERSE = {6: 8, 8: 6}  # each other orientation is its own inverse
XMP = ('xmp', 'XML:com.adobe.xmp')
PNG_START = 8  # bytes before the first chunk


def exif_orientation(image: Image.Image) -> int:
    """The orientation of an opened image, 1 to 8; 1 if it has none or another value.

    Decodes a PNG file that has no EXIF before its pixels.
    """
    _forget_xmp(image)
    return _known(image.getexif())


def stored_orientation(path: str | Path) -> tuple[int, tuple[int, int]]:
    """The orientation of an image file and its stored (H, W), from its header."""
    size = jpeg_without_exif(path)
    if size is not None:
        return 1, size
    with open_image(path) as image:
        late = image.format == 'PNG' and 'exif' not in image.info and _has_exif(path)
        _forget_xmp(image)
        # the method of the base class decodes no PNG
        exif = image.getexif() if late else Image.Image.getexif(image)
        orientation, size = _known(exif), image.size[::-1]
        # Pillow gives the size of an upright TIFF
        turned = image.format == 'TIFF' and orientation > 4
        return orientation, size[::-1] if turned else size


def open_as_stored(path: str | Path) -> Image.Image:
    """An opened image whose stored pixels are upright.

    Raises:
        MaskError: The image has an EXIF orientation.
    """
    image = open_image(path)
    if exif_orientation(image) != 1:
        image.close()
        raise MaskError(
            f"image '{path}' has an EXIF orientation ({exif_orientation(image)}), and "
            'published images have none: is it the published file?'
        )
    return image


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Stored pixels (..., H, W) turned to the upright image, contiguous."""
    if orientation > 4:
        pixels = pixels.swapaxes(-1, -2)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[..., ::rows, ::columns])


def is_upright(pixels: np.ndarray, path: str | Path) -> bool | None:
    """Whether the loaded pixels of a photograph are upright, and not as stored.

    Decodes the file and compares, since loaders differ in what they do with EXIF.

    Args:
        pixels: (H, W) or (H, W, C), of any type and order of channels.
        path: A file with an orientation that is not 1.

    Returns:
        None if it cannot be told: both are the same, or the pixels are others.
    """
    coloured = pixels.ndim == 3 and pixels.shape[2] > 1
    try:
        with open_image(path) as image:
            orientation = exif_orientation(image)
            image.load()
            turned = exif_orientation(image) != orientation  # Pillow turns a TIFF
            shown = _standardised(_decoded(image, coloured))
    except Exception:  # Pillow's plugins raise errors of many types
        return None
    stored = upright = shown
    if turned:
        stored = turn_upright(shown, INVERSE.get(orientation, orientation))
    else:
        upright = turn_upright(shown, orientation)
    loaded = _standardised(pixels)
    far = [
        np.abs(loaded - one).mean() if one.shape == loaded.shape else np.inf
        for one in (stored, upright)
    ]
    # decoders differ by rounding
    if max(far) <= 2 * min(far):
        return None
    return bool(far[1] < far[0])


def _decoded(image: Image.Image, coloured: bool) -> np.ndarray:
    """The pixels in grey or colour, as loaders give them."""
    if image.mode in ('L', 'RGB') or image.mode.startswith('I'):  # I: 16 bits
        return np.asarray(
            image.convert('L') if image.mode == 'RGB' and not coloured else image
        )
    return np.asarray(image.convert('RGB' if coloured else 'L'))


def _standardised(pixels: np.ndarray) -> np.ndarray:
    """Mean over the colours, (H, W), with mean 0 and standard deviation 1."""
    grey = pixels.astype(np.float32)
    if grey.ndim == 3:
        grey = grey[..., :3].mean(-1)
    return (grey - grey.mean()) / max(grey.std(), 1e-6)


def _forget_xmp(image: Image.Image) -> None:
    """Pillow takes an orientation from XMP as well, cv2 and browsers do not."""
    for key in XMP:
        image.info.pop(key, None)


def _known(exif: Image.Exif) -> int:
    orientation = exif.get(EXIF_ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def _has_exif(path: str | Path) -> bool:
    """Whether a PNG file has a chunk of EXIF anywhere."""
    with open(path, 'rb') as stream:
        stream.seek(PNG_START)
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack('>I4s', head)
            if kind == b'eXIf':
                return True
            stream.seek(length + 4, 1)  # a checksum follows
    return False
