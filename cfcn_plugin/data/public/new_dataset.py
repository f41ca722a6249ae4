"""A data set's folder, written whole or not at all."""
import csv
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from cfcn_plugin.masks.selection import guidance_rank

TEST_FRACTION = 0.2  # of the patients


class NewDataset:
    """Images, masks and ``labels.csv`` of a data set that is being written.

    Args:
        folder: Where to write.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows: list[tuple] = []

    def add(self, name: str, image: np.ndarray, masks: Mapping[str, np.ndarray],
            *values) -> None:
        """Write an image and its masks, and keep its row of ``labels.csv``.

        Args:
            name: The image's path below the folder.
            image: uint8, (H, W) or (H, W, 3).
            masks: Path below the folder -> mask, (H, W), not 0 where causal.
            values: The values of the columns after ``filename``.
        """
        self._save(name, image)
        for path, mask in masks.items():
            self._save(path, (mask != 0) * np.uint8(255))
        self.rows.append((name, *values))

    def _save(self, name: str, pixels: np.ndarray) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


@contextmanager
def new_dataset(root: str | Path, *columns: str) -> Iterator[NewDataset]:
    """Fill a folder under a temporary name; it gets its own name when it is complete.

    Args:
        root: The folder. It must not exist.
        columns: The columns of ``labels.csv`` after ``filename``.

    Raises:
        FileExistsError: The folder exists.
    """
    root = Path(root)
    if root.exists():
        raise FileExistsError(f"'{root}' exists and is not overwritten")
    temporary = root.with_name(root.name + '.partial')
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was cut off
    temporary.mkdir(parents=True)
    dataset = NewDataset(temporary)
    yield dataset
    write_table(temporary / 'labels.csv', ('filename', *columns), dataset.rows)
    temporary.rename(root)


def write_table(file: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Write a new CSV file.

    Raises:
        FileExistsError: The file exists.
    """
    if file.exists():
        raise FileExistsError(f"'{file}' exists and is not overwritten")
    with file.open('x', newline='', encoding='utf-8') as stream:
        csv.writer(stream).writerows([header, *rows])


def patient_split(patient: str) -> str:
    """``'test'`` for a fifth of the patients, chosen by a hash, else ``'train'``."""
    return 'test' if guidance_rank(patient) < TEST_FRACTION else 'train'
