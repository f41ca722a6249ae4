"""Brain MRI of Cheng et al.: images, masks and labels out of its MATLAB files."""
from pathlib import Path

import numpy as np

from cfcn_plugin.masks.base import MaskError
from cfcn_plugin.masks.io.hdf5 import own_object
from cfcn_plugin.masks.selection import guidance_rank

from .new_folder import new_folder, save_image, write_table

TUMOURS = {1: 'meningioma', 2: 'glioma', 3: 'pituitary'}  # cjdata/label
FIELDS = ('image', 'label', 'PID', 'tumorMask')
LARGEST = 2**26  # bytes of a field; a slice has 512 KiB
TEST_SHARE = 0.2  # of the patients


def export_brain_mri(source: str | Path, root: str | Path) -> Path:
    """Write ``images/N.png``, ``masks/N.png`` and ``labels.csv`` (filename, label,
    split, patient) for each ``N.mat``.

    Slices have up to 16 bits; each is stretched to 0..255 by its own least and greatest
    value. A fifth of the patients, chosen by a hash, is for testing: slices of one
    patient look alike, so that splitting by slice would test what was trained on.

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
        ValueError: A file is not as published, or stands twice.
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
    with new_folder(root) as folder:
        rows = [_export(file, folder) for file in files]
        write_table(folder / 'labels.csv', ('filename', 'label', 'split', 'patient'),
                    rows)
    return Path(root)


def _export(file: Path, folder: Path) -> tuple[str, str, str, str]:
    """Image and mask of a file, and its line of the table."""
    slice_ = _read(file)
    label, = slice_['label'].ravel()[:1].tolist() or [None]
    if label not in TUMOURS:
        raise ValueError(f"'{file}': expected cjdata/label 1, 2 or 3, got {label}")
    shapes = slice_['image'].shape, slice_['tumorMask'].shape
    if len(shapes[0]) != 2 or shapes[0] != shapes[1]:
        raise ValueError(f"'{file}': expected cjdata/image and cjdata/tumorMask of one "
                         f'size, got {shapes[0]} and {shapes[1]}')
    name = f'images/{file.stem}.png'
    # MATLAB stores columns first
    save_image(folder / name, _stretch(slice_['image'].T, file))
    mask = (slice_['tumorMask'].T != 0).astype(np.uint8) * np.uint8(255)
    save_image(folder / f'masks/{file.stem}.png', mask)
    # MATLAB's texts are UTF-16
    patient = slice_['PID'].astype('<u2').tobytes().decode('utf-16-le', 'replace')
    split = 'test' if guidance_rank(patient) < TEST_SHARE else 'train'
    return name, TUMOURS[label], split, patient


def _read(file: Path) -> dict[str, np.ndarray]:
    try:
        import h5py
    except ImportError as error:
        raise ImportError('MATLAB v7.3 files are read with h5py: '
                          "`pip install 'cfcn_plugin[masks]'`") from error
    try:
        with h5py.File(file, 'r') as content:
            return {field: _values(content, f'cjdata/{field}', file)
                    for field in FIELDS}
    except MaskError:  # ours
        raise
    except Exception as error:  # h5py raises whatever HDF5 says
        raise ValueError(f"'{file}' is not a MATLAB v7.3 file with the fields cjdata/"
                         f'{{{",".join(FIELDS)}}} ({error}): is it whole?') from error


def _values(content, name: str, file: Path) -> np.ndarray:
    field = own_object(content, name, f"'{file}'")
    if field is None:
        raise KeyError(name)
    if getattr(field, 'nbytes', 0) > LARGEST:  # a small file can claim terabytes
        raise MaskError(f"'{file}': '{name}' has {field.nbytes} bytes, expected a "
                         'slice of a few hundred thousand')
    values = np.asarray(field[()])
    if values.dtype.kind not in 'iufb':
        raise MaskError(f"'{file}': expected numbers in '{name}', got {values.dtype}")
    return values


def _stretch(values: np.ndarray, file: Path) -> np.ndarray:
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if not np.isfinite([low, high]).all() or low == high:
        raise ValueError(f"'{file}': expected an image, got values from {low} to "
                         f'{high}')
    low, high = float(low), float(high)
    return ((values.astype(np.float32) - low) * (255 / (high - low))).round().astype(
        np.uint8)
