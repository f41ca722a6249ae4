"""The image files of torch data sets, of which no other formats are opened."""

import os
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torchvision.datasets.folder import default_loader

from cfcn_plugin.masks.exif import exif_orientation, turn_upright
from cfcn_plugin.masks.io.open_image import open_image
from cfcn_plugin.printable import printable


def load_image(path: str | Path) -> Image.Image:
    """An image, upright as annotation tools show it.

    For ``ImageFolder(loader=load_image)``. torchvision's own loader leaves photographs
    as they are stored.

    Returns:
        RGB.

    Raises:
        OSError: The file cannot be read as an image.
    """
    return _read(path, upright=True)


def load_stored(path: str | Path) -> Image.Image:
    """As torchvision's own loader, for the formats of ``masks.io.open_image`` alone."""
    return _read(path, upright=False)


def _read(path: str | Path, upright: bool) -> Image.Image:
    try:
        with open_image(path) as opened:
            orientation = exif_orientation(opened) if upright else 1
            image = opened.convert('RGB')
            if orientation != 1 and exif_orientation(opened) != orientation:
                orientation = 1  # Pillow has turned a TIFF
    except Exception as error:  # decoders raise errors of many types
        raise OSError(
            printable(f"image '{path}' cannot be read: {error or type(error).__name__}")
        ) from error
    if orientation == 1:
        return image
    pixels = turn_upright(np.moveaxis(np.asarray(image), -1, 0), orientation)
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(pixels, 0, -1)))


def path_finder(dataset: Any) -> Callable[[int], str]:
    """From an index in a data set to the path of the image's file.

    Args:
        dataset: A ``DatasetFolder`` of torchvision, an ``ImageDataset`` of timm, or
            another data set with their ``samples`` or ``filename``.

    Raises:
        TypeError: The data set does not say where its images are.
    """
    samples = getattr(dataset, 'samples', None)
    if (
        isinstance(samples, list | tuple)
        and samples
        and (
            isinstance(samples[0], list | tuple)
            and isinstance(samples[0][0], str | os.PathLike)
        )
    ):
        return FirstOf(samples)
    if _has_reader(dataset):
        return AbsoluteName(dataset.reader)
    raise TypeError(
        f'{type(dataset).__name__} does not say which file an image has, by which its '
        'mask is found: give MaskedDataset(path=function), a function from an index '
        "in the data set to the path of the image's file"
    )


def _has_reader(dataset: Any) -> bool:
    """Whether a data set has a reader of timm."""
    reader = getattr(dataset, 'reader', None)
    return all(callable(getattr(one, 'filename', None)) for one in (dataset, reader))


class FirstOf:
    """The path of sample (path, label)."""

    def __init__(self, samples: Sequence):
        self.samples = samples

    def __call__(self, index: int) -> str:
        return os.fspath(self.samples[index][0])


class AbsoluteName:
    """The path by a reader of timm."""

    def __init__(self, reader: Any):
        self.reader = reader

    def __call__(self, index: int) -> str:
        return self.reader.filename(index, absolute=True)


def with_known_formats(dataset: Any) -> Any:
    """A data set that opens its images as before, but no format that runs a program.

    A copy; other data sets than those of :func:`path_finder` open their own files.
    """
    changed = copy(dataset)
    if getattr(dataset, 'loader', None) is default_loader:
        changed.loader = load_stored
    elif _has_reader(dataset):
        changed.reader = CheckedReader(dataset.reader)
    return changed


class CheckedReader:
    """A reader of timm that gives only images of known formats.

    Attributes:
        last: Index of the image that was read last. timm's ``ImageDataset`` takes the
            next image for one that it cannot read.
    """

    def __init__(self, reader: Any):
        self.reader = reader
        self.last: int | None = None

    def __getitem__(self, index: int) -> tuple:
        self.last = index
        stream, *rest = self.reader[index]
        open_image(stream)
        stream.seek(0)
        return stream, *rest

    def __len__(self) -> int:
        return len(self.reader)


def index_that_was_read(dataset: Any, asked: int) -> int:
    """The index of the image that ``dataset[asked]`` gave."""
    reader = getattr(dataset, 'reader', None)
    return reader.last if isinstance(reader, CheckedReader) else asked
