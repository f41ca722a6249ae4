"""Records of a million images in four flat arrays, which workers share."""
import marshal
import os
from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch

from .base import MaskError, MaskRecord, MaskSource, at, unknown_keys_error
from .io.files import walk_files


class RecordIndex:
    """Image key -> the records that an annotation file has of it, as bytes.

    A dictionary of a million small objects is copied into every worker, page by
    page, as reference counts change, or whole where workers are spawned. Here no
    Python object belongs to an image, and the arrays are tensors: forked workers
    read the parent's pages, spawned ones get them as torch's shared memory.

    A key is found by binary search of its hash; keys of one hash are compared.

    Args:
        entries: (key, record) pairs, read one by one; records that marshal, the
            fastest way to bytes, can write. Records of one key add up, in their order.
    """

    def __init__(self, entries: Iterable[tuple[str, Any]]):
        joined, hashes, ends = bytearray(), array('I'), array('q', [0])
        for entry in entries:
            joined += marshal.dumps(entry)
            hashes.append(_hash(entry[0]))
            ends.append(len(joined))
        hashes = np.array(hashes)
        order = hashes.argsort(kind='stable')
        # tensors alone, no arrays kept of them: sharing moves a tensor's memory
        self._hashes = torch.from_numpy(hashes[order].view(np.int32))
        self._order = torch.from_numpy(order)
        self._joined = torch.from_numpy(np.frombuffer(joined, np.uint8))
        self._ends = torch.from_numpy(np.array(ends))

    def __len__(self) -> int:
        """The number of records."""
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        """Each key once."""
        return iter({key for key, _ in self._entries(0, len(self))})

    def find(self, key: str) -> list:
        """The key's records; an empty list if there is no such key."""
        hashes, code = self._hashes.numpy().view(np.uint32), np.uint32(_hash(key))
        start, stop = (hashes.searchsorted(code, side) for side in ('left', 'right'))
        return [record for other, record in self._entries(start, stop) if other == key]

    def _entries(self, start: int, stop: int) -> Iterator[tuple[str, Any]]:
        """Keys and records at some places in the order of hashes."""
        joined, ends = memoryview(self._joined.numpy()), memoryview(self._ends.numpy())
        for i in self._order.numpy()[start:stop]:
            yield marshal.loads(joined[ends[i]:ends[i + 1]])


def _hash(key: str) -> int:
    # JSON can name lone surrogates, which strict UTF-8 refuses
    return crc32(key.encode('utf-8', 'surrogatepass'))


class IndexedMasks(MaskSource):
    """A source with one big annotation file, which is read once, into an index.

    Args:
        ann_file: The file, below ``data_root``.
        data_root: The dataset's root.

    Raises:
        MaskError: There is no entry.
    """
    entry = 'entry'  # what one record is of, for messages

    def __init__(self, ann_file: str, data_root: str = ''):
        super().__init__(data_root)
        self.file = Path(data_root, ann_file)
        with at(f"'{self.file}'"):
            self.index = RecordIndex(self.records())
            if not len(self.index):
                raise MaskError(f'holds no {self.entry}')

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        records = self.index.find(key)
        if not records:
            return None
        with at(f"'{self.file}', '{key}'"):
            return self.read(records, f"{self.file}', '{key}", results)

    @abstractmethod
    def records(self) -> Iterator[tuple[str, Any]]:
        """(key, record) of each entry of ``file``."""

    @abstractmethod
    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        """The mask that an image's one or more records make, in their order.

        ``file`` names the file and the entry; ``results`` is the sample's dict.

        Raises:
            MaskError: The mask cannot be used.
        """

    def keys(self) -> list[str]:
        return sorted(self.index)

    def check(self) -> None:
        # with os.path, since pathlib takes ten seconds more for a million
        strangers = [key for key in self.index
                     if not os.path.isfile(os.path.join(self.data_root, key))]
        if strangers:
            raise unknown_keys_error(strangers, 'image names', f"'{self.file}'",
                                     walk_files(self.data_root or '.', 'data_root'))
