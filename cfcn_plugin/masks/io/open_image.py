"""The one place that opens image files: raster formats that Pillow decodes itself."""

from pathlib import Path
from typing import BinaryIO

from PIL import Image

# Pillow opens EPS with Ghostscript, and formats that contain files of any format. None
# of the formats here starts a program, or opens a file that the image names.
FORMATS = (
    'PNG',
    'JPEG',
    'BMP',
    'GIF',
    'PPM',
    'TIFF',
    'WEBP',
    'DIB',
    'JPEG2000',
    'AVIF',
    'QOI',
    'SGI',
    'PCX',
    'TGA',
)


def open_image(file: str | Path | BinaryIO) -> Image.Image:
    """``PIL.Image.open`` of the formats in ``FORMATS``, whatever the file's name.

    Raises:
        PIL.UnidentifiedImageError: The content is of no such format.
        OSError: The file cannot be opened.
    """
    return Image.open(file, formats=known_formats())


def known_formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that the installed Pillow has."""
    known = tuple(filter(Image.OPEN.__contains__, FORMATS))
    if len(known) == len(FORMATS):
        return known
    Image.init()
    return tuple(filter(Image.OPEN.__contains__, FORMATS))


def forbid_other_formats() -> None:
    """Make ``PIL.Image.open`` of this process refuse all formats but ``FORMATS``.

    Packages that open images of the data set with Pillow get the same formats.
    """
    Image.init()
    known = known_formats()
    Image.ID[:] = [name for name in Image.ID if name in known]
    for name in set(Image.OPEN) - set(known):
        del Image.OPEN[name]
