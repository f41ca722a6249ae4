"""Masks in memory, one bit a pixel, as long as their files stay as they are.

Finding, decoding and checking a mask takes most of the time of loading it, and the
masks are few.
"""

import math
import os
import zlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .base import MaskRecord

MOST_BYTES = 2**25  # in each process: 1400 masks of 500 x 375 pixels
ROWS = 16  # of an image tell whether its pixels are the same


class _Kept(NamedTuple):
    planes: list[tuple[np.ndarray, tuple[int, ...]]]
    file: str
    classes: np.ndarray | None
    made_of: tuple
    ways: Counter | None
    image: int | None


class MaskMemory:
    """The first masks that were loaded, up to ``MOST_BYTES``.

    A copy for another process begins empty.
    """

    def __init__(self):
        self._kept: dict[tuple, _Kept] = {}
        self._bytes = 0

    def find(
        self, key: tuple | None, image: np.ndarray | None = None
    ) -> tuple[MaskRecord, Counter | None] | None:
        """The record that was kept, and how it was refined; None if a file changed.

        Args:
            key: Of :func:`memory_key`.
            image: The image if the record was refined by it.
        """
        found = self._kept.get(key)
        if found is None or found.image != pixels_code(image):
            return None
        for path, state in found.made_of:
            if file_state(path) != state:
                return None
        mask, *ignore = [
            np.unpackbits(bits, count=math.prod(shape)).reshape(shape)
            for bits, shape in found.planes
        ]
        return MaskRecord(
            mask, found.file, found.classes, ignore[0] if ignore else None
        ), found.ways

    def keep(
        self,
        key: tuple | None,
        record: MaskRecord,
        ways: Counter | None = None,
        image: np.ndarray | None = None,
    ) -> None:
        """Keep a record that says what it is made of, if there is room."""
        planes = [one for one in (record.mask, record.ignore) if one is not None]
        if (
            key is None
            or record.made_of is None
            or any(one.dtype != np.uint8 for one in planes)
        ):
            return
        kept = _Kept(
            [(np.packbits(one), one.shape) for one in planes],
            record.file,
            record.classes,
            record.made_of,
            ways,
            pixels_code(image),
        )
        size = _size(kept) - _size(self._kept.get(key))
        if self._bytes + size <= MOST_BYTES:
            self._kept[key] = kept
            self._bytes += size

    def __getstate__(self) -> dict:
        return dict(_kept={}, _bytes=0)


def _size(kept: _Kept | None) -> int:
    return 0 if kept is None else sum(bits.nbytes for bits, _ in kept.planes)


def memory_key(sample: dict, shape: tuple[int, int]) -> tuple | None:
    """What a mask depends on, besides its files; None of an image without a path.

    Args:
        sample: A sample's dict; some masks depend on its ``gt_label``.
        shape: (H, W) of the image.
    """
    path, label = sample.get('img_path'), sample.get('gt_label')
    if path is None:
        return None
    if label is not None and type(label) is not int:
        label = tuple(np.atleast_1d(label).tolist())
    return path, *shape, label


def file_state(path: str | Path) -> tuple | None:
    """What changes if a file is written or replaced; None if there is no such file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def file_states(*paths: str | Path) -> tuple:
    """Each path with its :func:`file_state`, for ``made_of`` of a record."""
    return tuple((path, file_state(path)) for path in paths)


def pixels_code(image: np.ndarray | None) -> int | None:
    """A checksum of some rows of an image; None without an image."""
    if image is None:
        return None
    return zlib.crc32(np.ascontiguousarray(image[:: max(1, len(image) // ROWS)]))
