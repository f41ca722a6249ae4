"""Names that annotation files and images give, and none that leaves its folder."""
import os
from pathlib import Path, PurePosixPath
from posixpath import normpath

from cfcn_plugin.masks.base import MaskError, is_plain


def image_name(name, where: str, folder: str = '') -> str:
    """An image's key from the name an annotation file gives it.

    The file system is not asked: an index has a million names.

    Args:
        name: As it came.
        where: File and place, for the message.
        folder: The folder below the data root that names are relative to.

    Raises:
        MaskError: It is no name, or one that leaves its folder.
    """
    if is_plain(name) and not folder:
        return name
    if not isinstance(name, str) or not name.strip():
        raise MaskError(f'{where}: expected the name of an image, got {name!r}')
    reason = _leaves(name)
    if reason is not None:
        raise _way_out(name, reason, f"'{folder}'" if folder else 'the data root',
                       where)
    return normpath(f'{folder}/{name}' if folder else name)


def inside(key: str, images: str, source) -> PurePosixPath:
    """The part of an image's key that is below the folder of images.

    Args:
        key: The key.
        images: The folder, the option of ``source``.
        source: The mask source, for the message.

    Raises:
        MaskError: The image is not below it.
    """
    try:
        return PurePosixPath(key).relative_to(images)
    except ValueError:
        raise MaskError(f"image '{key}' is not below images='{images}' of "
                        f'{type(source).__name__}: correct `images`') from None


def below(folder: str | Path, name: str, where: str = '') -> Path:
    """``folder / name``, to be opened, which must not leave ``folder``.

    The folder itself may be a symlink; what is inside may link to what is inside.

    Args:
        folder: A folder that the user configured.
        name: A relative path that a file or an image's name gave.
        where: What gave it, for the message.

    Raises:
        MaskError: The name is absolute, has ``..``, or links out of the folder.
    """
    reason = _leaves(name)
    if reason is None:
        inner = str(folder)
        for part in PurePosixPath(name).parts:
            inner = os.path.join(inner, part)
            if os.path.islink(inner):  # a stat or two: cheap enough for each image
                real, root = os.path.realpath(inner), os.path.realpath(folder)
                if os.path.commonpath((real, root)) != root:
                    reason = f"links to '{real}'"
                    break
    if reason is not None:
        raise _way_out(name, reason, f"'{folder}'", where)
    return Path(folder, name)


def _leaves(name: str) -> str | None:
    """How a name leaves its folder, as far as its text tells."""
    if os.path.isabs(name):
        return 'is absolute'
    if '..' in name.split('/'):
        return "has '..'"
    return 'has a zero byte' if '\0' in name else None


def _way_out(name: str, reason: str, folder: str, where: str) -> MaskError:
    return MaskError(
        f"{where + ': ' if where else ''}path {name!r} {reason}, expected one that "
        f'stays below {folder}: correct it, or configure the folder it leads to')
