"""LGG MRI of Buda et al.: images, masks and labels, split by patient."""

from pathlib import Path

import numpy as np

from cfcn_plugin.masks.errors import at
from cfcn_plugin.masks.exif import open_as_stored
from cfcn_plugin.masks.io.image import read_nonblack

from .new_dataset import patient_split, write_dataset

MASK = '_mask.tif'


def export_lgg_mri(source: str | Path, root: str | Path) -> Path:
    """Write ``images/SLICE.png``, ``masks/SLICE.png`` of those with a tumour, and
    ``labels.csv`` (filename, label: tumor or no_tumor, split, patient).

    A fifth of the patients, chosen by a hash, is for testing: neighbouring slices show
    the same tumour, so a split by slice would test on the training data.

    Args:
        source: The published folder ``kaggle_3m``, with a folder ``TCGA_*`` a patient.
        root: Folder to make; if it exists, a FileExistsError is raised.

    Raises:
        FileNotFoundError: ``source`` holds no patient, or a slice has no mask.
        MaskError: A mask cannot be read.
    """
    files = sorted(
        file
        for file in Path(source).glob('TCGA_*/TCGA_*.tif')
        if not file.name.endswith(MASK)
    )
    if not files:
        raise FileNotFoundError(
            f"'{source}' has no file like 'TCGA_CS_4941_19960909/"
            "TCGA_CS_4941_19960909_1.tif': give the folder kaggle_3m"
        )
    return write_dataset(root, ('label', 'split', 'patient'), map(_read, files))


def _read(file: Path) -> tuple:
    mask_file = file.with_name(file.stem + MASK)
    if not mask_file.is_file():
        raise FileNotFoundError(
            f"slice '{file}' has no mask '{mask_file.name}' beside "
            'it: is the folder whole?'
        )
    with open_as_stored(file) as opened:
        image = np.asarray(opened.convert('RGB'))
    with at(f"'{mask_file}'"):
        mask = read_nonblack(mask_file, image.shape[:2])
    masks = {f'masks/{file.stem}.png': mask} if mask.any() else {}
    patient = file.parent.name
    return (
        f'images/{file.stem}.png',
        image,
        masks,
        'tumor' if masks else 'no_tumor',
        patient_split(patient),
        patient,
    )
