"""Names of files in annotations and archives; a name must stay below its folder."""

import ntpath
import os
from itertools import accumulate
from pathlib import Path
from posixpath import normpath

from cfcn_plugin.masks.errors import MaskError, expect
from cfcn_plugin.masks.io.stored_names import is_plain

from .stored_names import normal_name, stored_names

LEAVING = (
    'path {!r} {}, expected a path below {}: correct the path, or configure the '
    'folder that the path leads to'
)


def image_name(name, folder: str = '') -> str:
    """An image's key from its name, relative to ``folder``, in an annotation file.

    The key is a :func:`.normal_name`. The file system is not accessed, since an index
    has a million names.

    Raises:
        MaskError: ``name`` is not a file name, or leaves its folder.
    """
    if is_plain(name) and not folder and '\\' not in name:
        return normal_name(name)
    expect(isinstance(name, str) and name.strip(), 'the name of an image', name)
    where = f"'{folder}'" if folder else 'the data root'
    if '\\' in name and name[1:2] == ':':
        raise MaskError(LEAVING.format(name, 'is absolute', where))
    name, folder = normal_name(name), normal_name(folder)
    _check_text(name, where)
    return normpath(f'{folder}/{name}' if folder else name)


def join_inside(folder: str | Path, name: str) -> Path:
    """``folder / name`` for opening or writing; the path must not leave ``folder``.

    The folder may be a symlink. Links within the folder are allowed.

    Raises:
        MaskError: The name is absolute or has ``..``, here or on Windows, or the path
            links out of the folder.
    """
    _check_text(name, f"'{folder}'")
    # on Windows a backslash separates folders, and a drive begins a new path
    drive, path = ntpath.splitdrive(name)
    if (
        '..' in path.replace('\\', '/').split('/')
        or (drive and ntpath.isabs(name))
        or not os.path.join(folder, name).startswith(os.fspath(folder))
    ):
        raise MaskError(LEAVING.format(name, 'leaves it on Windows', f"'{folder}'"))
    path = Path(folder, name)
    parts = accumulate(name.split('/'), os.path.join, initial=folder)
    if any(map(os.path.islink, parts)):  # cheap: a few stats per image
        real, root = os.path.realpath(path), os.path.realpath(folder)
        if os.path.commonpath((real, root)) != root:
            raise MaskError(LEAVING.format(name, f"links to '{real}'", f"'{folder}'"))
    return path


def find_inside(folder: str | Path, name: str) -> Path | None:
    """The file ``name`` below ``folder``, in any normal form; None if missing.

    Raises:
        MaskError: The name leaves ``folder``, or two files have this name.
    """
    path = join_inside(folder, name)
    found = find_name(folder, name)
    if found == name:
        return path
    return join_inside(folder, found) if found else None


def find_name(folder: str | Path, name: str) -> str | None:
    """The name that ``folder`` has for the file ``name``; None if it has none.

    Raises:
        MaskError: Two files have this name, in different normal forms.
    """
    if name.isascii():  # almost every name
        return name if os.path.isfile(os.path.join(folder, name)) else None
    found = [
        one
        for one in stored_names(folder, name)
        if os.path.isfile(os.path.join(folder, one))
    ]
    if len(found) > 1:
        raise MaskError(
            f"two files below '{folder}' have the name {name!r}, "
            f'{" and ".join(map(ascii, found))} in two normal forms of '
            'Unicode: remove or rename one'
        )
    return found[0] if found else None


def _check_text(name: str, folder: str) -> None:
    for leaves, reason in (
        (os.path.isabs(name), 'is absolute'),
        ('..' in name.split('/'), "has '..'"),
        ('\0' in name, 'has a zero byte'),
    ):
        if leaves:
            raise MaskError(LEAVING.format(name, reason, folder))
