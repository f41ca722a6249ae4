"""The choice of guided images, by a stateless hash."""
from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from .base import MaskError, at
from .io.files import read_lines


def guidance_rank(key: str, seed: int = 0) -> float:
    """A number in [0, 1) that depends only on seed and image.

    A threshold on the number chooses the same images in every epoch, worker and
    process. A larger threshold adds images and keeps the images of a smaller one.
    """
    digest = blake2b(f'{seed}:{key}'.encode(), digest_size=8).digest()
    return int.from_bytes(digest, 'big') / 2**64


def choose_guided(images: Iterable[tuple[str, object]],
                  count: int,
                  seed: int = 0,
                  per_class: bool = False) -> list[str]:
    """The ``count`` images of lowest rank, sorted by name.

    Args:
        images: (key, label) of each image. A label may be a list of labels.
        count: The number of images, >= 1; with ``per_class``, the number per class (an
            image with several labels counts for each label).
        seed: Seed of the hash.
        per_class: Whether to choose ``count`` images of each class.

    Raises:
        ValueError: There are fewer images than ``count``.
    """
    if count < 1:
        raise ValueError(f'`n` must be at least 1, got {count}')
    classes = defaultdict(list)
    for key, label in images:
        many = label if isinstance(label, list | tuple) else [label]
        for one in many if per_class else ['all']:
            classes[one].append(key)
    chosen = set()
    for label, keys in classes.items():
        if len(keys) < count:
            of = f'class {label}' if per_class else 'the training set'
            raise ValueError(f'{count} images are asked for, and {of} has {len(keys)}')
        chosen.update(sorted(keys, key=lambda key: guidance_rank(key, seed))[:count])
    return sorted(chosen)


def read_guided_list(file: str) -> frozenset[str]:
    """Keys in a list made by ``tools/choose_guided.py``, one a line.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The list is empty, or is not text.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(
            f"list of guided images '{file}' does not exist: make it with "
            '`tools/choose_guided.py CONFIG -n N --out FILE`')
    with at(f"list of guided images '{file}'"):
        keys = frozenset(line.strip() for _, line in read_lines(Path(file)))
        if not keys:
            raise MaskError('is empty: expected one path below the data root a line')
    return keys
