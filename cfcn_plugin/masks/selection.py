"""The choice of guided images, by a stateless hash."""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from cfcn_plugin.options import check_whole

from .errors import MaskError, at
from .io.files import decode_lines, read_lines


def guidance_rank(key: str, seed: int = 0) -> float:
    """A number in [0, 1) that depends only on seed and image.

    A threshold on the number chooses the same images in every epoch, worker and
    process. A larger threshold adds images and keeps the images of a smaller one.
    """
    data = f'{seed}:{key}'.encode('utf-8', 'surrogatepass')  # a name may be no UTF-8
    digest = blake2b(data, digest_size=8).digest()
    return int.from_bytes(digest, 'big') / 2**64


def choose_guided(
    images: Iterable[tuple[str, object]],
    count: int,
    seed: int = 0,
    per_class: bool = False,
) -> list[str]:
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
    check_whole('n', count, least=1)
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
            '`tools/choose_guided.py CONFIG -n N --out FILE`'
        )
    with at(f"list of guided images '{file}'"):
        keys = frozenset(map(_strip, read_lines(Path(file))))
        if not keys:
            raise MaskError('is empty: expected one path below the data root a line')
    return keys


def format_guided_list(keys: Iterable[str]) -> str:
    """The text of a list that :func:`read_guided_list` reads, one key a line.

    Raises:
        MaskError: A line cannot hold a key: the key has the end of a line, begins or
            ends with a space, or is not UTF-8.
    """
    keys = list(keys)
    for key in keys:
        line = f'{key}\n'.encode('utf-8', 'replace')
        if list(map(_strip, decode_lines(line))) != [key]:
            raise MaskError(
                f'image {key!a} cannot be a line of a list: its name has the end '
                'of a line, a space at its beginning or end, or is not UTF-8; rename '
                'the image'
            )
    return ''.join(f'{key}\n' for key in keys)


def _strip(line: tuple[str, str]) -> str:
    # only what an editor leaves around a name: names may end with other spaces
    return line[1].strip(' \t')
