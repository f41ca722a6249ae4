"""Brain MRI of Cheng et al.: images, masks and labels out of its MATLAB files."""
from pathlib import Path

import numpy as np

from cfcn_plugin.masks.base import MaskError
from cfcn_plugin.masks.io.hdf5 import find_numbers, open_matlab

from .new_dataset import NewDataset, new_dataset, patient_split

TUMOURS = {1: 'meningioma', 2: 'glioma', 3: 'pituitary'}  # cjdata/label
FIELDS = ('image', 'label', 'PID', 'tumorMask')
LARGEST = 2**26  # bytes of a field; a slice has 512 KiB


def export_brain_mri(source: str | Path, root: str | Path) -> Path:
    """Write ``images/N.png``, ``masks/N.png`` and ``labels.csv`` (filename, label,
    split, patient) for each ``N.mat``.

    Slices have up to 16 bits; each is stretched to 0..255 by its own least and greatest
    value. A fifth of the patients, chosen by a hash, is for testing: slices of one
    patient are similar, so a split by slice would test on the training data.

    Args:
        source: Folder with the published files ``1.mat`` ... ``3064.mat`` (figshare
            1512427, unpacked), here or in folders below.
        root: Folder to make. It must not exist.

    Returns:
        ``root``.

    Raises:
        FileExistsError: ``root`` exists.
        FileNotFoundError: ``source`` has no such file.
        ImportError: h5py is missing.
        ValueError: A file is not as published, or two files have one number.
    """
    # the archives' fifth file, cvind.mat, holds no slice
    files = sorted((f for f in Path(source).rglob('*.mat') if f.stem.isdecimal()),
                   key=lambda f: int(f.stem))
    if not files:
        raise FileNotFoundError(
            f"'{source}' has no file like '1.mat', here or below: unpack the four "
            'archives of figshare 1512427 there')
    for one, other in zip(files, files[1:]):
        if one.stem == other.stem:
            raise ValueError(f"'{one}' and '{other}' have one number: remove one")
    with new_dataset(root, 'label', 'split', 'patient') as dataset:
        for file in files:
            _export(file, dataset)
    return Path(root)


def _export(file: Path, dataset: NewDataset) -> None:
    with open_matlab(file) as content:
        slice_ = {field: _values(content, f'cjdata/{field}') for field in FIELDS}
    label, = slice_['label'].ravel()[:1].tolist() or [None]
    if label not in TUMOURS:
        raise ValueError(f"'{file}': expected cjdata/label 1, 2 or 3, got {label}")
    # MATLAB stores columns first
    image, mask = slice_['image'].T, slice_['tumorMask'].T
    if image.ndim != 2 or image.shape != mask.shape:
        raise ValueError(f"'{file}': expected cjdata/image and cjdata/tumorMask of one "
                         f'size, got {image.shape} and {mask.shape}')
    # MATLAB's texts are UTF-16
    patient = slice_['PID'].astype('<u2').tobytes().decode('utf-16-le', 'replace')
    dataset.add(f'images/{file.stem}.png', _stretch(image, file),
                {f'masks/{file.stem}.png': mask}, TUMOURS[label],
                patient_split(patient), patient)


def _values(content, name: str) -> np.ndarray:
    field = find_numbers(content, name)
    if field.nbytes > LARGEST:  # a small file can claim terabytes
        raise MaskError(f"'{content.filename}': '{name}' has {field.nbytes} bytes, "
                        'expected a slice of a few hundred thousand')
    return np.asarray(field[()])


def _stretch(values: np.ndarray, file: Path) -> np.ndarray:
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if not np.isfinite([low, high]).all() or low == high:
        raise ValueError(f"'{file}': expected an image, got values from {low} to "
                         f'{high}')
    low, high = float(low), float(high)
    return ((values.astype(np.float32) - low) * (255 / (high - low))).round().astype(
        np.uint8)
