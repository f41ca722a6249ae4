"""The brain tumour MRI of Cheng et al., one MATLAB file a slice."""
from pathlib import Path

import numpy as np

from .base import MaskError, MaskRecord, wrong_size
from .folder import FolderMasks
from .io.hdf5 import own_object

NUMBERS = ('b', 'u', 'i', 'f')  # NumPy's kinds of booleans and numbers


class MatMasks(FolderMasks):
    """Tumour masks in MATLAB v7.3 files, which are HDF5 (``pip install h5py``).

    As published (figshare 1512427): ``1.mat`` to ``3064.mat`` with ``cjdata/image``,
    ``label``, ``PID``, ``tumorBorder`` and ``tumorMask``. A file holds image and
    mask; classifiers read images, so the slices have to be exported as images first,
    and the mask of ``<data_root>/<images>/7.png`` is ``<data_root>/<masks>/7.mat``.

    Args:
        masks, images, data_root, suffix: As in
            :class:`~cfcn_plugin.masks.folder.FolderMasks`.
        field: Where in the file the mask is.
        upright: Whether images lie as MATLAB shows them, rows as rows. h5py gives
            columns first; False for images that were exported without turning them.
    """

    def __init__(self,
                 masks: str,
                 images: str = '',
                 data_root: str = '',
                 suffix: str = '.mat',
                 field: str = 'cjdata/tumorMask',
                 upright: bool = True):
        super().__init__(masks, images, data_root, suffix)
        _h5py()  # missing now is better than missing in a worker
        self.field = field
        self.upright = upright

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        values = self._values(file, shape)
        if not ((values == 0) | (values == 1)).all():
            raise MaskError(f"'{self.field}' of '{file}' is not binary: expected 0 and "
                            f'1, got {np.unique(values)[:8].tolist()}')
        return MaskRecord(values.astype(np.uint8), str(file))

    def _values(self, file: Path, shape: tuple) -> np.ndarray:
        h5py = _h5py()
        try:
            if not h5py.is_hdf5(file):
                raise self._no_hdf5(file)
            with h5py.File(file, 'r') as content:
                field = own_object(content, self.field, f"'{file}'")
                if getattr(getattr(field, 'dtype', None), 'kind', '') not in NUMBERS:
                    names = []
                    content.visit(names.append)
                    raise MaskError(
                        f"'{file}' has no numbers in a field '{self.field}', its "
                        f'fields are {sorted(names)[:12]}: correct `field`')
                # MATLAB stores columns first, so (W, H) is what a header says
                size = field.shape[::-1] if self.upright else field.shape
                if size != tuple(shape):
                    raise wrong_size(file, size, shape)
                values = field[()]
        except MaskError:
            raise
        except Exception as error:  # h5py raises whatever HDF5 says
            raise MaskError(f"'{file}' cannot be read as a MATLAB v7.3 file "
                            f'({error!r}): is it whole?') from error
        return values.T if self.upright else values

    @staticmethod
    def _no_hdf5(file: Path) -> MaskError:
        with file.open('rb') as stream:
            old = stream.read(10) == b'MATLAB 5.0'
        return MaskError(f"'{file}' is not a MATLAB v7.3 (HDF5) file: " + (
            "it is an older MATLAB file, save it with `save(..., '-v7.3')`"
            if old else 'is it whole?'))


def _h5py():
    try:
        import h5py
    except ImportError as error:
        raise ImportError('MatMasks reads MATLAB v7.3 files with h5py: '
                          "`pip install 'cfcn_plugin[masks]'`") from error
    return h5py

