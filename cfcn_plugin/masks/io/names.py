"""Names that annotation files and images give; a name that leaves its folder fails."""
import os
from pathlib import Path, PurePosixPath
from posixpath import normpath

from cfcn_plugin.masks.base import MaskError, expect, is_plain


def image_name(name, folder: str = '') -> str:
    """An image's key from the name an annotation file gives it.

    The file system is not asked: an index has a million names.

    Args:
        name: The name as it is written.
        folder: The folder below the data root that names are relative to.

    Raises:
        MaskError: This is no name, or the name leaves its folder.
    """
    if is_plain(name) and not folder:
        return name
    expect(isinstance(name, str) and name.strip(), 'the name of an image', name)
    reason = _reason_to_refuse(name)
    if reason is not None:
        of = f"'{folder}'" if folder else 'the data root'
        raise _leaving_error(name, reason, of)
    return normpath(f'{folder}/{name}' if folder else name)


def join_inside(folder: str | Path, name: str) -> Path:
    """``folder / name``, to be opened; the path must not leave ``folder``.

    The folder itself may be a symlink, and links from inside to inside are allowed.

    Args:
        folder: A folder that the user configured.
        name: A relative path, from a file or an image's name.

    Raises:
        MaskError: The name is absolute, has ``..``, or links out of the folder.
    """
    reason = _reason_to_refuse(name)
    if reason is None:
        inner = str(folder)
        for part in PurePosixPath(name).parts:
            inner = os.path.join(inner, part)
            if os.path.islink(inner):  # one or two stats an image are cheap enough
                real, root = os.path.realpath(inner), os.path.realpath(folder)
                if os.path.commonpath((real, root)) != root:
                    reason = f"links to '{real}'"
                    break
    if reason is not None:
        raise _leaving_error(name, reason, f"'{folder}'")
    return Path(folder, name)


def _reason_to_refuse(name: str) -> str | None:
    """Why a name leaves its folder by its text alone, None if it does not."""
    if os.path.isabs(name):
        return 'is absolute'
    if '..' in name.split('/'):
        return "has '..'"
    return 'has a zero byte' if '\0' in name else None


def _leaving_error(name: str, reason: str, folder: str) -> MaskError:
    return MaskError(
        f'path {name!r} {reason}, expected one that stays below {folder}: '
        'correct it, or configure the folder it leads to')
