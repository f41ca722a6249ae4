"""The names of images in annotation files."""
from posixpath import normpath

from .base import MaskError


def is_plain(name) -> bool:
    """Whether a name is its own key, at a glance: cheap enough for a million."""
    return (isinstance(name, str) and bool(name) and '/.' not in name
            and '//' not in name and not name.startswith(('.', '/')))


def image_name(name, where: str, folder: str = '') -> str:
    """An image's key from the name an annotation file gives it.

    Args:
        name: As it came.
        where: File and place, for the message.
        folder: The folder below the data root that names are relative to.

    Raises:
        MaskError: It is no name, or one that leaves its folder.
    """
    if not isinstance(name, str) or not name.strip():
        raise MaskError(f'{where}: expected the name of an image, got {name!r}')
    clean = normpath(name)
    if clean.startswith('/') or clean.split('/', 1)[0] == '..':
        raise MaskError(
            f"{where}: image name '{name}' leaves the data root; expected a path below "
            'it: make it relative')
    return normpath(f'{folder}/{clean}') if folder else clean
