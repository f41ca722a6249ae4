"""Reading MATLAB v7.3 (HDF5) files without following links to other files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from cfcn_plugin.masks.errors import MaskError


def import_h5py():
    """Import h5py, or raise an ImportError with the command that installs h5py."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            'MatMasks and tools/get_data.py read MATLAB v7.3 files with '
            "h5py: `pip install 'cfcn_plugin[masks]'`"
        ) from error
    return h5py


@contextmanager
def open_matlab(file: Path) -> Iterator:
    """Open a MATLAB v7.3 file as an ``h5py.File``.

    Raises:
        ImportError: h5py is missing.
        MaskError: The file has another format, or is damaged.
    """
    h5py = import_h5py()
    try:
        if not h5py.is_hdf5(file):
            with file.open('rb') as stream:
                old = stream.read(10) == b'MATLAB 5.0'
            raise MaskError(
                'not a MATLAB v7.3 (HDF5) file: '
                + (
                    "it is an older MATLAB file, save it with `save(..., '-v7.3')`"
                    if old
                    else 'is it whole?'
                )
            )
        with h5py.File(file, 'r') as content:
            yield content
    except MaskError:
        raise
    except Exception as error:  # h5py raises errors of many types
        raise MaskError(
            f'cannot be read as a MATLAB v7.3 file ({error!r}): is it whole?'
        ) from error


def find_numbers(content, name: str):
    """A field of an ``h5py.File``, as an ``h5py.Dataset`` whose values are not read.

    HDF5 would open any file that a link, a virtual data set or an external data set
    names. This function refuses such references without following them.

    Raises:
        MaskError: The file has no numbers of its own at the path ``name``.
    """
    h5py = import_h5py()
    inner, elsewhere = content, False
    for part in PurePosixPath(name.strip('/')).parts:
        link = inner.get(part, getlink=True) if isinstance(inner, h5py.Group) else None
        elsewhere = link is not None and not isinstance(link, h5py.HardLink)
        inner = None if link is None or elsewhere else inner.get(part)
        if inner is None:
            break
    if elsewhere or (
        isinstance(inner, h5py.Dataset) and (inner.is_virtual or inner.external)
    ):
        raise MaskError(
            f"'{name}' is kept in another file or place, and links are not "
            'followed: save a copy that holds its own data'
        )
    if not isinstance(inner, h5py.Dataset) or inner.dtype.kind not in 'buif':
        names = []
        content.visit(names.append)
        raise MaskError(
            f"no numbers in a field '{name}', the fields are "
            f'{sorted(names)[:12]}: correct `field`'
        )
    return inner
