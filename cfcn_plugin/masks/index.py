"""Records of up to millions of images in four flat arrays that workers share."""

import marshal
from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any, SupportsIndex
from zlib import crc32

import numpy as np
import torch

from .base import MaskRecord, MaskSource
from .deferred import is_packed_error, pack_error, restore_error
from .errors import MaskError, at, unknown_keys_error
from .io.files import walk_files
from .io.names import find_name
from .io.stored_names import normal_name


class RecordIndex:
    """Map of image keys to the image's records in an annotation file, as bytes.

    A dictionary of a million small objects would be copied into every worker: page by
    page in forked workers, as reference counts change, and completely in spawned
    workers. This index has no Python object per image, only tensors. Forked workers
    read the parent's pages; spawned workers use torch's shared memory.

    A key is found by a binary search for its hash; keys with equal hashes are compared.

    Args:
        entries: (key, record) pairs, read one by one. marshal, the fastest serialiser,
            must support the records. A key may have several records, kept in order.
    """

    def __init__(self, entries: Iterable[tuple[str, Any]]):
        joined, hashes, ends = bytearray(), array('I'), array('q', [0])
        for key, record in entries:
            key = normal_name(key)
            joined += marshal.dumps((key, record))
            hashes.append(_hash(key))
            ends.append(len(joined))
        hashes = np.array(hashes)
        order = hashes.argsort(kind='stable')
        # keep tensors, not NumPy views: sharing moves a tensor's memory
        self._hashes = torch.from_numpy(hashes[order].view(np.int32))
        self._order = torch.from_numpy(order)
        self._joined = torch.from_numpy(np.frombuffer(joined, np.uint8))
        self._ends = torch.from_numpy(np.array(ends))

    def __len__(self) -> int:
        """The number of records."""
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        """Each key once."""
        return iter({key for key, _ in self.items()})

    def items(self) -> Iterator[tuple[str, Any]]:
        """Each record with its key."""
        return self._entries(0, len(self))

    def find(self, key: str) -> list:
        """The records of the key in any form; empty if there is no such key."""
        key = normal_name(key)
        hashes, code = self._hashes.numpy().view(np.uint32), np.uint32(_hash(key))
        start, stop = (hashes.searchsorted(code, side) for side in ('left', 'right'))
        return [record for other, record in self._entries(start, stop) if other == key]

    def _entries(
        self, start: SupportsIndex, stop: SupportsIndex
    ) -> Iterator[tuple[str, Any]]:
        """Keys and records from ``start`` to ``stop`` in the order of hashes."""
        joined, ends = memoryview(self._joined.numpy()), memoryview(self._ends.numpy())
        for i in self._order.numpy()[start:stop]:
            yield marshal.loads(joined[ends[i] : ends[i + 1]])


def _hash(key: str) -> int:
    # JSON strings may have lone surrogates, which strict UTF-8 refuses
    return crc32(key.encode('utf-8', 'surrogatepass'))


class IndexedMasks(MaskSource):
    """Base of sources with one annotation file, which is read once into an index.

    Args:
        ann_file: The file, below ``data_root``.
        data_root: The dataset's root.

    Raises:
        MaskError: The file has no entry.
    """

    entry = 'entry'  # name of one record, for messages

    def __init__(self, ann_file: str, data_root: str = ''):
        super().__init__(data_root)
        self.file = Path(data_root, ann_file)
        self._has_broken = False
        with at(f"'{self.file}'"):
            self.index = RecordIndex(self._packed_records())
            if not len(self.index):
                raise MaskError(f'holds no {self.entry}')

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        records = self.index.find(key)
        if not records:
            return None
        with at(f"'{self.file}', '{key}'"):
            if not key.isascii():
                find_name(self.data_root, key)  # raises if two images have this name
            for record in records:
                if is_packed_error(record):
                    raise restore_error(record)
            record = self.read(records, f"{self.file}', '{key}", results)
            return replace(record, made_of=())  # the file is read once

    def places(self, key: str) -> list[str]:
        return [f'{self.file}, {self.entry} of {key}']

    def broken(self) -> list[tuple[str, MaskError]]:
        found = []
        for key, record in self.index.items() if self._has_broken else ():
            if is_packed_error(record):
                found.append((key, restore_error(record)))
                at(f"'{self.file}', '{key}'").mark(found[-1][1])
        return sorted(found, key=itemgetter(0))

    def _packed_records(self) -> Iterator[tuple[str, Any]]:
        for key, record in self.records():
            if isinstance(record, MaskError):
                self._has_broken = True
                record = pack_error(record)
            yield key, record

    @abstractmethod
    def records(self) -> Iterator[tuple[str, Any]]:
        """(key, record) of each entry of ``file``.

        A MaskError as the record: an entry that is asked for and cannot be read. The
        error is raised when the mask of the image is loaded.

        Raises:
            MaskError: The file is wrong in a way that belongs to no image.
        """

    @abstractmethod
    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        """The mask of an image's records, which are in the order of the file.

        ``file`` names the file and the entry; ``results`` is the sample's dict.

        Raises:
            MaskError: The mask cannot be used.
        """

    def keys(self) -> list[str]:
        return sorted(self.index)

    def check(self) -> None:
        with at(f"'{self.file}'"):
            strangers = [
                key for key in self.index if find_name(self.data_root, key) is None
            ]
        if strangers:
            found = list(walk_files(self.data_root or '.', 'data_root'))
            # an image's own name may have a backslash
            strangers = set(strangers).difference(map(normal_name, found))
        if strangers:
            raise unknown_keys_error(strangers, 'image names', f"'{self.file}'", found)
