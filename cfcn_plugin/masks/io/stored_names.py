"""Names of one file: Unicode's normal forms, both slashes, other endings."""

import os
import time
from functools import lru_cache
from typing import Literal
from unicodedata import normalize

IMAGES = (
    '.avif',
    '.bmp',
    '.gif',
    '.jfif',
    '.jp2',
    '.jpe',
    '.jpeg',
    '.jpg',
    '.pgm',
    '.png',
    '.ppm',
    '.tif',
    '.tiff',
    '.webp',
)
FORMS: tuple[Literal['NFC', 'NFD'], ...] = ('NFC', 'NFD')
SETTLED = 2 * 10**9  # nanoseconds after which a new file changes a folder's time again


def normal_name(name: str) -> str:
    """The one form of a name by which names are compared: NFC, with ``/``.

    macOS writes "é" as two characters (NFD), other systems as one (NFC). Windows writes
    paths with backslashes.
    """
    if name.isascii() and '\\' not in name:  # a million names
        return name
    return normalize('NFC', name.replace('\\', '/'))


def normal_stem(name: str) -> str:
    """The normal form of a name without its ending."""
    return normal_name(os.path.splitext(name)[0])


def is_plain(name) -> bool:
    """Whether a name needs no normalisation; fast enough for a million names."""
    return (
        isinstance(name, str)
        and bool(name.strip())
        and '/.' not in name
        and '//' not in name
        and '\0' not in name
        and not name.startswith(('.', '/'))
        and not name.endswith('/')
    )


def stored_names(folder: str | os.PathLike, name: str) -> list[str]:
    """The names of files or folders below ``folder`` that have the letters of ``name``.

    There are several if the folder has names that differ only in their normal form.
    """
    names = ['']
    for part in name.split('/'):
        forms = dict.fromkeys([part, *(normalize(form, part) for form in FORMS)])
        paths = [os.path.join(start, form) for start in names for form in forms]
        names = [path for path in paths if os.path.lexists(os.path.join(folder, path))]
    if len(names) < 2:
        return names
    # macOS finds the same file by each form
    return list(
        {
            (stat.st_dev, stat.st_ino): path
            for path in reversed(names)
            for stat in [os.lstat(os.path.join(folder, path))]
        }.values()
    )[::-1]


def stored_name(folder: str | os.PathLike, name: str) -> str:
    """The name in an annotation file as ``folder`` has it; unchanged if it is unknown.

    A name that exists is not changed, also if it has a backslash.
    """
    plain = name.isascii() and '\\' not in name
    if plain or os.path.lexists(os.path.join(folder, name)):
        return name
    found = stored_names(folder, name.replace('\\', '/'))
    return found[0] if len(found) == 1 else name


def images_of_stem(path: str, leave_out: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of the images beside ``path`` that differ from it only in their ending.

    The name of ``path`` is one of the names. A folder is listed once in each process,
    and again when it has changed.

    Args:
        path: An image.
        leave_out: Endings of files that are no images, such as masks.

    Returns:
        The names, sorted; empty if there are not at least two.
    """
    folder, name = os.path.split(path)
    try:
        modified = os.stat(folder or '.').st_mtime_ns
        # a file that comes in the same moment does not change the folder's time
        settled = abs(time.time_ns() - modified) > SETTLED
        read = _shared_stems if settled else _shared_stems.__wrapped__
        return read(folder or '.', leave_out, modified).get(normal_stem(name), ())
    except (OSError, ValueError):  # no such folder, so no second image
        return ()


@lru_cache(maxsize=2**14)
def _shared_stems(folder: str, leave_out: tuple, modified: int) -> dict[str, tuple]:
    """{stem: names} of only those stems that several images have."""
    first, shared = {}, {}
    for name in os.listdir(folder):
        if is_image(name) and not name.endswith(leave_out):
            stem = normal_stem(name)
            if stem in first:
                shared.setdefault(stem, [first[stem]]).append(name)
            else:
                first[stem] = name
    files = {
        stem: sorted(
            name for name in names if os.path.isfile(os.path.join(folder, name))
        )
        for stem, names in shared.items()
    }
    return {stem: tuple(names) for stem, names in files.items() if len(names) > 1}


def is_image(name: str) -> bool:
    """Whether a file's name has an image's ending; not for hidden files."""
    return os.path.splitext(name)[1].lower() in IMAGES and not os.path.basename(
        name
    ).startswith('.')
