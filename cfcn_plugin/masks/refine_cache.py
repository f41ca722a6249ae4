"""Outlines on disk, found by the content of image and mark."""

import contextlib
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from uuid import uuid4

import numpy as np

from cfcn_plugin.atomic_write import atomic_write


class RefineCache:
    """A folder of outlines; several processes may use the folder at once.

    An entry never gets old, since its name is a hash of all that the outline is made
    of. A damaged entry is made again.

    Args:
        folder: Made if it does not exist.
        maker: Text that is different for each way to make an outline.
    """

    def __init__(self, folder: str | Path, maker: str):
        self.folder = Path(folder)
        self.maker = maker

    def get(
        self,
        image: np.ndarray,
        mask: np.ndarray,
        make: Callable[[np.ndarray, np.ndarray], tuple],
    ) -> tuple:
        """The stored ``make(image, mask)``, which is called if nothing is stored.

        Args:
            image: uint8 (H, W, 3).
            mask: uint8 {0, 1}, (H, W).
            make: Returns an outline, uint8 {0, 1}, (H, W), and a Counter.

        Raises:
            OSError: An outline cannot be written; the message has the file.
        """
        # an image is hashed in each epoch: of hashlib, sha1 is the fastest
        key = sha1(f'{self.maker} {image.shape}'.encode(), usedforsecurity=False)
        key.update(np.ascontiguousarray(image))
        key.update(np.packbits(mask))
        name = key.hexdigest()
        file = self.folder / name[:2] / name[2:]
        # any error of a damaged file: the entry is made again
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, zlib.error):
            return _unpack(file.read_bytes(), mask.shape)
        made = make(image, mask)
        file.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own: others may write the same entry now
        written = file.with_name(f'{file.name}-{uuid4().hex}')
        atomic_write(written, _pack(*made), sync=False)
        os.replace(written, file)
        return made


def _pack(mask: np.ndarray, ways: Counter) -> bytes:
    return json.dumps(ways).encode() + b'\n' + zlib.compress(np.packbits(mask))


def _unpack(data: bytes, shape: tuple[int, int]) -> tuple[np.ndarray, Counter]:
    ways, bits = data.split(b'\n', 1)
    bits = np.frombuffer(zlib.decompress(bits), np.uint8)
    mask = np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape)
    return mask, Counter(json.loads(ways))
