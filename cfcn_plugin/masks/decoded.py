"""Decoded masks in memory, one bit a pixel.

Decoding takes most of the time of loading a mask, and the masks are few.
"""
import math
import os
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .base import MaskRecord

MOST_BYTES = 2**25  # in each process: 1400 masks of 500 x 375 pixels


class _Packed(NamedTuple):
    state: tuple
    shape: tuple[int, ...]
    bits: np.ndarray
    file: str
    classes: np.ndarray | None


class DecodedMasks:
    """The masks that were decoded last. A copy for another process begins empty."""

    def __init__(self):
        self._kept: OrderedDict[tuple, _Packed] = OrderedDict()
        self._bytes = 0

    def find(self, name: str, shape: tuple[int, int],
             state: tuple = ()) -> MaskRecord | None:
        """The record of this name and (H, W) that was decoded in the same state."""
        key = name, tuple(shape)
        found = self._kept.get(key)
        if found is None or found.state != state:
            return None
        self._kept.move_to_end(key)
        mask = np.unpackbits(found.bits, count=math.prod(found.shape))
        return MaskRecord(mask.reshape(found.shape), found.file, found.classes)

    def keep(self, name: str, shape: tuple[int, int], record: MaskRecord,
             state: tuple = ()) -> MaskRecord:
        """Keep a record, and return it. One with ignored pixels is not kept."""
        if record.ignore is None:
            packed = _Packed(state, record.mask.shape, np.packbits(record.mask),
                             record.file, record.classes)
            before = self._kept.pop((name, tuple(shape)), None)
            self._bytes -= 0 if before is None else before.bits.nbytes
            self._bytes += packed.bits.nbytes
            self._kept[name, tuple(shape)] = packed
        while self._bytes > MOST_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].bits.nbytes
        return record

    def __getstate__(self) -> dict:
        return dict(_kept=OrderedDict(), _bytes=0)


def file_state(file: Path) -> tuple:
    """What changes if a file is written or replaced."""
    found = os.stat(file)
    return found.st_mtime_ns, found.st_size, found.st_ino
