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
    """Images, masks and rows of ``labels.csv`` of a data set that is being written.

    Args:
        folder: Where to write.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows: list[tuple] = []

    def add(self, name: str, image: np.ndarray, masks: Mapping[str, np.ndarray],
            *values) -> None:
        """Write an image and its masks, and keep its row.

        Args:
            name: The image's path below the folder.
            image: uint8, (H, W) or (H, W, 3).
            masks: Path below the folder -> mask, (H, W), not 0 where causal.
            values: The values of the other columns.
        """
        save_image(self.folder / name, image)
        for mask_name, mask in masks.items():
            save_image(self.folder / mask_name, (mask != 0) * np.uint8(255))
        self.rows.append((name, *values))


@contextmanager
def new_dataset(root: str | Path, *columns: str) -> Iterator[NewDataset]:
    """Fill a new folder with images, masks and ``labels.csv``.

    Args:
        root: The folder. It must not exist.
        columns: The columns of ``labels.csv`` after ``filename``.

    Raises:
        FileExistsError: The folder exists.
    """
    with new_folder(root) as folder:
        dataset = NewDataset(folder)
        yield dataset
        write_table(folder / 'labels.csv', ('filename', *columns), dataset.rows)


@contextmanager
def new_folder(root: str | Path) -> Iterator[Path]:
    """Fill a folder under a temporary name; it gets its own name when it is complete.

    Args:
        root: The folder. It must not exist.

    Yields:
        Where to write.

    Raises:
        FileExistsError: The folder exists.
    """
    root = Path(root)
    if root.exists():
        raise FileExistsError(f"'{root}' exists and is not overwritten")
    temporary = root.with_name(root.name + '.partial')
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was cut off
    temporary.mkdir(parents=True)
    yield temporary
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


def save_image(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 pixels, (H, W) or (H, W, 3), and the folders above them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def patient_split(patient: str) -> str:
    """``'test'`` for a fifth of the patients, chosen by a hash, else ``'train'``."""
    return 'test' if guidance_rank(patient) < TEST_FRACTION else 'train'
