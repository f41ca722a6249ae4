"""Names of files in annotations and archives; a name must stay below its folder."""
import ntpath
import os
from itertools import accumulate
from pathlib import Path
from posixpath import normpath

from cfcn_plugin.masks.base import MaskError, expect, is_plain

LEAVING = ('path {!r} {}, expected a path below {}: correct the path, or configure the '
           'folder that the path leads to')


def image_name(name, folder: str = '') -> str:
    """An image's key from its name, relative to ``folder``, in an annotation file.

    The file system is not accessed, since an index has a million names.

    Raises:
        MaskError: ``name`` is not a file name, or leaves its folder.
    """
    if is_plain(name) and not folder:
        return name
    expect(isinstance(name, str) and name.strip(), 'the name of an image', name)
    _check_text(name, f"'{folder}'" if folder else 'the data root')
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
    parts, is_drive = name.replace('\\', '/').split('/'), ntpath.splitdrive(name)[0]
    if '..' in parts or (is_drive and ntpath.isabs(name)) or not os.path.join(
            folder, name).startswith(os.fspath(folder)):
        raise MaskError(LEAVING.format(name, 'leaves it on Windows', f"'{folder}'"))
    path = Path(folder, name)
    parts = accumulate(name.split('/'), os.path.join, initial=folder)
    if any(map(os.path.islink, parts)):  # cheap: a few stats per image
        real, root = os.path.realpath(path), os.path.realpath(folder)
        if os.path.commonpath((real, root)) != root:
            raise MaskError(LEAVING.format(name, f"links to '{real}'", f"'{folder}'"))
    return path


def _check_text(name: str, folder: str) -> None:
    for leaves, reason in ((os.path.isabs(name), 'is absolute'),
                           ('..' in name.split('/'), "has '..'"),
                           ('\0' in name, 'has a zero byte')):
        if leaves:
            raise MaskError(LEAVING.format(name, reason, folder))
