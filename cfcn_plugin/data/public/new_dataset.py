"""A data set's folder, written whole or not at all."""

import csv
import io
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.masks.io.names import join_inside
from cfcn_plugin.masks.selection import guidance_rank

TEST_FRACTION = 0.2  # of the patients


def write_dataset(
    root: str | Path, columns: Sequence[str], entries: Iterable[tuple]
) -> Path:
    """Write images, masks and ``labels.csv`` into a new folder and return the folder.

    The folder has a temporary name until it is complete.

    Args:
        root: The folder.
        columns: The columns of ``labels.csv`` after ``filename``.
        entries: For each image its path below the folder; its pixels, uint8, (H, W) or
            (H, W, 3); its masks, path below the folder -> (H, W), not 0 where causal;
            and the values of the columns.

    Raises:
        FileExistsError: The folder exists, or two entries have the same file.
        MaskError: A path leaves the folder.
    """
    root = Path(root)
    if root.exists():
        raise FileExistsError(f"'{root}' exists and is not overwritten")
    temporary = root.with_name(root.name + '.partial')
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was cut off
    temporary.mkdir(parents=True)
    rows = []
    for name, image, masks, *values in entries:
        _save(join_inside(temporary, name), image)
        for path, mask in masks.items():
            _save(join_inside(temporary, path), (mask != 0) * np.uint8(255))
        rows.append((name, *values))
    write_table(temporary / 'labels.csv', ('filename', *columns), rows)
    temporary.rename(root)
    return root


def _save(path: Path, pixels: np.ndarray) -> None:
    if path.exists():
        raise FileExistsError(
            f"'{path}' would be written twice: two files of the data "
            'set have one name, is it as it was published?'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_table(file: Path, header: Sequence[str], rows: Iterable[Sequence]) -> Path:
    """Write a new CSV file, all of it or nothing, and return its folder.

    Raises:
        FileExistsError: The file exists.
    """
    if file.exists():
        raise FileExistsError(f"'{file}' exists and is not overwritten")
    text = io.StringIO(newline='')
    csv.writer(text).writerows([header, *rows])
    atomic_write(file, text.getvalue())
    return file.parent


def patient_split(patient: str) -> str:
    """``'test'`` for a fifth of the patients, chosen by a hash, else ``'train'``."""
    return 'test' if guidance_rank(patient) < TEST_FRACTION else 'train'
