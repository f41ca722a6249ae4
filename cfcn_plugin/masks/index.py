"""Records of a million images in six flat arrays, which workers share."""
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from .base import MaskError, MaskSource, unknown
from .folder import walk

CHUNK = 256  # entries joined together: few enough for the processor's cache


class RecordIndex:
    """Image key -> the records that an annotation file has of it, as bytes.

    A dictionary of a million small objects is copied into every worker, page by
    page, as reference counts change, or whole where workers are spawned. Here no
    Python object belongs to an image, and the arrays are tensors: forked workers
    read the parent's pages, spawned ones get them as torch's shared memory.

    A key is found by binary search of its hash. Keys are compared too, so hashes
    may be short and collide.

    Args:
        entries: (key, record) pairs, taken as they come. Records of one key add up,
            in their order.
    """

    def __init__(self, entries: Iterable[tuple[str, bytes]]):
        names, records = bytearray(), bytearray()
        hashes, name_lengths, lengths = [], [], []
        entries = iter(entries)
        while chunk := list(islice(entries, CHUNK)):
            keys, values = zip(*chunk)
            keys = list(map(_encode, keys))
            hashes.append(np.fromiter(map(crc32, keys), np.uint32))
            name_lengths.append(np.fromiter(map(len, keys), np.int64))
            lengths.append(np.fromiter(map(len, values), np.int64))
            names += b''.join(keys)
            records += b''.join(values)
        hashes = np.concatenate([np.empty(0, np.uint32), *hashes])
        order = hashes.argsort(kind='stable')
        # tensors alone, no arrays kept of them: sharing moves a tensor's memory
        self._hashes = torch.from_numpy(hashes[order].view(np.int32))
        self._order = torch.from_numpy(order)
        self._names = torch.from_numpy(np.frombuffer(names, np.uint8))
        self._name_ends = _ends(name_lengths)
        self._records = torch.from_numpy(np.frombuffer(records, np.uint8))
        self._record_ends = _ends(lengths)

    def __len__(self) -> int:
        """How many records there are."""
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        """Each key once, decoded one by one."""
        hashes, order = self._hashes.numpy(), self._order.numpy()
        name = _reader(self._names, self._name_ends)
        seen, last = set(), None
        for code, i in zip(hashes, order):
            if code != last:
                seen, last = set(), code
            key = name(i)
            if key not in seen:
                seen.add(key)
                yield key.decode('utf-8', 'surrogatepass')

    def find(self, key: str) -> list[bytes]:
        """The key's records, none if there is no such key."""
        wanted = _encode(key)
        code = np.uint32(crc32(wanted))
        hashes = self._hashes.numpy().view(np.uint32)
        start, stop = (hashes.searchsorted(code, side) for side in ('left', 'right'))
        name = _reader(self._names, self._name_ends)
        record = _reader(self._records, self._record_ends)
        return [
            record(i) for i in self._order[start:stop].tolist() if name(i) == wanted
        ]


class IndexedMasks(MaskSource):
    """A source with one big annotation file.

    Args:
        file: The annotation file.
        data_root: The dataset's root.
        entries: (key, record) pairs of the file.
        what: What a record is of, for messages.

    Raises:
        MaskError: There is no entry.
    """

    def __init__(self, file: Path, data_root: str,
                 entries: Iterable[tuple[str, bytes]], what: str):
        super().__init__(data_root)
        self.file = file
        self.index = RecordIndex(entries)
        if not len(self.index):
            raise MaskError(f"'{file}' holds no {what}")

    def keys(self) -> list[str]:
        return sorted(self.index)

    def check(self) -> None:
        # os.path: a million of pathlib's paths take ten seconds more
        strangers = [
            key for key in self.index
            if not os.path.isfile(os.path.join(self.data_root, key))
        ]
        if strangers:
            raise unknown(strangers, 'image names', f"'{self.file}'",
                          walk(self.data_root or '.', 'data_root'))


def _encode(key: str) -> bytes:
    # JSON can name lone surrogates, which strict UTF-8 refuses
    return key.encode('utf-8', 'surrogatepass')


def _ends(lengths: Sequence[np.ndarray]) -> Tensor:
    """Where each piece ends in the joined ones, after a leading 0."""
    return torch.from_numpy(np.concatenate([[0], *lengths]).astype(np.int64).cumsum())


def _reader(joined: Tensor, ends: Tensor) -> Callable[[int], bytes]:
    """Piece i of the joined ones, as a function of i."""
    joined, ends = memoryview(joined.numpy()), memoryview(ends.numpy())
    return lambda i: bytes(joined[ends[i]:ends[i + 1]])
