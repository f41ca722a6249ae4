"""Records of a million images in four flat arrays, which workers share."""
import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from zlib import crc32

import numpy as np
import torch

from .base import MaskError, MaskRecord, MaskSource, unknown_keys_error
from .io.files import walk_files

CHUNK = 256  # entries joined together: few enough for the processor's cache
END = b'\0'  # ends a key; the record follows


class RecordIndex:
    """Image key -> the records that an annotation file has of it, as bytes.

    A dictionary of a million small objects is copied into every worker, page by
    page, as reference counts change, or whole where workers are spawned. Here no
    Python object belongs to an image, and the arrays are tensors: forked workers
    read the parent's pages, spawned ones get them as torch's shared memory.

    A key is found by binary search of its hash. Keys are compared too, so hashes
    may be short and collide.

    Args:
        entries: (key, record) pairs, read one by one. A key has no zero byte. Records
            of one key add up, in their order.
    """

    def __init__(self, entries: Iterable[tuple[str, bytes]]):
        joined, hashes, lengths = bytearray(), [], []
        entries = iter(entries)
        while chunk := list(islice(entries, CHUNK)):
            keys = [_encode(key) for key, _ in chunk]
            pieces = [key + END + record for key, (_, record) in zip(keys, chunk)]
            hashes.append(np.fromiter(map(crc32, keys), np.uint32))
            lengths.append(np.fromiter(map(len, pieces), np.int64))
            joined += b''.join(pieces)
        hashes = np.concatenate([np.empty(0, np.uint32), *hashes])
        order = hashes.argsort(kind='stable')
        ends = np.concatenate([[0], *lengths]).astype(np.int64).cumsum()
        # tensors alone, no arrays kept of them: sharing moves a tensor's memory
        self._hashes = torch.from_numpy(hashes[order].view(np.int32))
        self._order = torch.from_numpy(order)
        self._joined = torch.from_numpy(np.frombuffer(joined, np.uint8))
        self._ends = torch.from_numpy(ends)

    def __len__(self) -> int:
        """The number of records."""
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        """Each key once, decoded one by one."""
        seen, last = set(), None
        for code, (key, _) in zip(self._hashes.numpy(), self._pieces(0, len(self))):
            if code != last:
                seen, last = set(), code
            if key not in seen:
                seen.add(key)
                yield key.decode('utf-8', 'surrogatepass')

    def find(self, key: str) -> list[bytes]:
        """The key's records; an empty list if there is no such key."""
        wanted = _encode(key)
        code = np.uint32(crc32(wanted))
        hashes = self._hashes.numpy().view(np.uint32)
        start, stop = (hashes.searchsorted(code, side) for side in ('left', 'right'))
        return [record for key, record in self._pieces(start, stop) if key == wanted]

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[bytes, bytes]]:
        """Keys and records at some places in the order of hashes."""
        joined, ends = memoryview(self._joined.numpy()), memoryview(self._ends.numpy())
        for i in self._order.numpy()[start:stop]:
            key, _, record = bytes(joined[ends[i]:ends[i + 1]]).partition(END)
            yield key, record


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
        self.index = RecordIndex(self.records())
        if not len(self.index):
            raise MaskError(f"'{self.file}' holds no {self.entry}")

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        records = self.index.find(key)
        return self.read(records, f"{self.file}', '{key}", results) if records else None

    @abstractmethod
    def records(self) -> Iterator[tuple[str, bytes]]:
        """(key, record) of each entry of ``file``."""

    @abstractmethod
    def read(self, records: list[bytes], file: str, results: dict) -> MaskRecord:
        """The mask that an image's records make.

        Args:
            records: One or more records of :meth:`records`, in their order.
            file: Name of the file and the entry, for the mask's record.
            results: The sample's dict.

        Raises:
            MaskError: The mask cannot be used.
        """

    def keys(self) -> list[str]:
        return sorted(self.index)

    def check(self) -> None:
        # with os.path, since pathlib takes ten seconds more for a million
        strangers = [
            key for key in self.index
            if not os.path.isfile(os.path.join(self.data_root, key))
        ]
        if strangers:
            raise unknown_keys_error(strangers, 'image names', f"'{self.file}'",
                          walk_files(self.data_root or '.', 'data_root'))


def _encode(key: str) -> bytes:
    # JSON can name lone surrogates, which strict UTF-8 refuses
    return key.encode('utf-8', 'surrogatepass')
