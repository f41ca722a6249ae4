"""What an HDF5 file holds itself, and not what it points to."""
from pathlib import PurePosixPath

from cfcn_plugin.masks.base import MaskError


def own_object(content, name: str, where: str):
    """A group or data set of a file, None if there is none of this name.

    HDF5 opens whatever file a link, a virtual or an external data set names. Here such
    a name is refused before it is followed.

    Args:
        content: An open ``h5py.File``.
        name: Its path in the file.
        where: The file, for the message.

    Raises:
        MaskError: It is not in the file itself.
    """
    import h5py
    inner, parts = content, PurePosixPath(name.strip('/')).parts
    for part in parts:
        if not isinstance(inner, h5py.Group):
            return None
        link = inner.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise _elsewhere(name, where)
        inner = inner.get(part)
    if isinstance(inner, h5py.Dataset) and (inner.is_virtual or inner.external):
        raise _elsewhere(name, where)
    return inner


def _elsewhere(name: str, where: str) -> MaskError:
    return MaskError(f"{where}: '{name}' is kept in another file or place, which is "
                     'not followed: save a copy that holds its own data')
