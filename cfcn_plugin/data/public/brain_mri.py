"""Brain MRI of Cheng et al.: images, masks and labels out of its MATLAB files."""

import itertools
from pathlib import Path

import numpy as np

from cfcn_plugin.masks.errors import MaskError, at, expect
from cfcn_plugin.masks.io.hdf5 import find_numbers, open_matlab

from .new_dataset import patient_split, write_dataset

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
        root: Folder to make; if it exists, a FileExistsError is raised.

    Raises:
        FileNotFoundError: ``source`` has no such file.
        ImportError: h5py is missing.
        ValueError: A file is not as published, or two files have one number.
    """
    # the archives' fifth file, cvind.mat, holds no slice
    files = sorted(
        (f for f in Path(source).rglob('*.mat') if f.stem.isdecimal()),
        key=lambda f: int(f.stem),
    )
    if not files:
        raise FileNotFoundError(
            f"'{source}' has no file like '1.mat', here or below: unpack the four "
            'archives of figshare 1512427 there'
        )
    for one, other in itertools.pairwise(files):
        if one.stem == other.stem:
            raise ValueError(f"'{one}' and '{other}' have one number: remove one")
    return write_dataset(root, ('label', 'split', 'patient'), map(_read, files))


def _read(file: Path) -> tuple:
    with at(f"'{file}'"):
        with open_matlab(file) as content:
            slice_ = {field: _values(content, f'cjdata/{field}') for field in FIELDS}
        (label,) = slice_['label'].ravel()[:1].tolist() or [None]
        expect(label in TUMOURS, 'cjdata/label 1, 2 or 3', label)
        # MATLAB stores columns first
        image, mask = slice_['image'].T, slice_['tumorMask'].T
        expect(
            image.ndim == 2 and image.shape == mask.shape,
            'cjdata/image and cjdata/tumorMask of one size',
            (image.shape, mask.shape),
        )
        image = _stretch(image)
    # MATLAB's texts are UTF-16
    patient = slice_['PID'].astype('<u2').tobytes().decode('utf-16-le', 'replace')
    return (
        f'images/{file.stem}.png',
        image,
        {f'masks/{file.stem}.png': mask},
        TUMOURS[label],
        patient_split(patient),
        patient,
    )


def _values(content, name: str) -> np.ndarray:
    field = find_numbers(content, name)
    if field.nbytes > LARGEST:  # a small file can claim terabytes
        raise MaskError(
            f"'{name}' has {field.nbytes} bytes, "
            'expected a slice of a few hundred thousand'
        )
    return np.asarray(field[()])


def _stretch(values: np.ndarray) -> np.ndarray:
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    low, high = float(low), float(high)
    expect(
        np.isfinite([low, high]).all() and low != high,
        'an image of several values',
        (low, high),
    )
    return (
        ((values.astype(np.float32) - low) * (255 / (high - low)))
        .round()
        .astype(np.uint8)
    )
