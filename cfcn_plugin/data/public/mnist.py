"""MNIST out of its IDX files, with the strokes as masks."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from .new_dataset import write_dataset

IMAGES, LABELS = '{}-images-idx3-ubyte.gz', '{}-labels-idx1-ubyte.gz'
UINT8 = 0x08
LARGEST = 16 + 60_000 * 28 * 28  # bytes of the largest file, unpacked
TEST_EVERY = 5  # if there are the 10,000 test digits alone


def export_mnist(source: str | Path, root: str | Path) -> Path:
    """Write ``images/train-00000.png`` ..., ``masks/...`` and ``labels.csv`` (filename,
    label, split).

    A digit's mask is its strokes: every pixel that is not black. Without the 60,000
    digits for training, every fifth of the other 10,000 tests and the rest trains.

    Args:
        source: Folder with ``t10k-images-idx3-ubyte.gz``, ``t10k-labels-idx1-ubyte.gz``
            and, if they are there, the same of ``train``.
        root: Folder to make; if it exists, a FileExistsError is raised.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is no IDX file, or images and labels do not match.
    """
    parts = {'t10k': _digits(Path(source), 't10k')}
    if Path(source, IMAGES.format('train')).exists():
        parts['train'] = _digits(Path(source), 'train')

    def entries():
        for part, (images, labels) in parts.items():
            for number, (image, label) in enumerate(zip(images, labels)):
                name = f'{part}-{number:05d}.png'
                test = part == 't10k' and ('train' in parts or number % TEST_EVERY == 0)
                yield (
                    f'images/{name}',
                    image,
                    {f'masks/{name}': image},
                    label,
                    'test' if test else 'train',
                )

    return write_dataset(root, ('label', 'split'), entries())


def _digits(source: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 28, 28) and labels (N,), uint8."""
    images = _read_idx(source / IMAGES.format(part), 3)
    labels = _read_idx(source / LABELS.format(part), 1)
    if len(images) != len(labels):
        raise ValueError(
            f"'{source / LABELS.format(part)}' has {len(labels)} labels, "
            f"and '{IMAGES.format(part)}' beside it {len(images)} "
            'images: take both files from one release'
        )
    return images, labels


def _read_idx(file: Path, dims: int) -> np.ndarray:
    """The array in a file: 0, 0, type, dimensions, each one's size, then the data."""
    if not file.is_file():
        raise FileNotFoundError(
            f"'{file}' does not exist: expected MNIST's four files as published, .gz"
        )
    try:
        with gzip.open(file) as stream:  # a file that unpacks to more is cut off here
            content = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"'{file}' is no whole gzip file ({error})") from error
    start = 4 + 4 * dims
    shape = struct.unpack(f'>{dims}I', content[4:start].ljust(4 * dims, b'\0'))
    if content[:4] != bytes((0, 0, UINT8, dims)) or (
        len(content) - start != math.prod(shape)
    ):
        raise ValueError(
            f"'{file}' is no IDX file of bytes in {dims} dimensions: is it whole?"
        )
    return np.frombuffer(content[start:], np.uint8).reshape(shape)
