"""The brain tumour MRI of Cheng et al., one MATLAB file per slice."""

from pathlib import Path

import numpy as np

from cfcn_plugin.options import check_flag

from .base import MaskRecord
from .errors import MaskError, check_size
from .folder import FolderMasks
from .io.hdf5 import find_numbers, import_h5py, open_matlab


class MatMasks(FolderMasks):
    """Tumour masks in MATLAB v7.3 files, which are HDF5 (``pip install h5py``).

    As published (figshare 1512427): ``1.mat`` to ``3064.mat`` with ``cjdata/image``,
    ``label``, ``PID``, ``tumorBorder`` and ``tumorMask``. A file contains image and
    mask. Since classifiers read images, first export the slices as images. The mask of
    ``<data_root>/<images>/7.png`` is ``<data_root>/<masks>/7.mat``.

    Args:
        masks, images, data_root: As in :class:`.FolderMasks`.
        suffix: The end of a file's name, or a list.
        field: Path of the mask in the file.
        upright: Whether images have the orientation that MATLAB shows. h5py returns
            columns first; use False for images that were exported without a transpose.
    """

    def __init__(
        self,
        masks: str,
        images: str = '',
        data_root: str = '',
        suffix: str = '.mat',
        field: str = 'cjdata/tumorMask',
        upright: bool = True,
    ):
        super().__init__(masks, images, data_root, suffix)
        import_h5py()  # raise a missing import here, not in a worker
        self.field = field
        check_flag('upright', upright)
        self.upright = upright

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        with open_matlab(file) as content:
            field = find_numbers(content, self.field)
            # MATLAB stores columns first: the header of an upright mask has (W, H)
            size = field.shape[::-1] if self.upright else field.shape
            check_size(size, shape)
            values = field[()].T if self.upright else field[()]
        if not ((values == 0) | (values == 1)).all():
            raise MaskError(
                f"'{self.field}' is not binary: expected 0 and 1, got "
                f'{np.unique(values)[:8].tolist()}'
            )
        return MaskRecord(values.astype(np.uint8), str(file))
