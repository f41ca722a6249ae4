"""A data set's folder, written whole or not at all."""
import csv
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image


@contextmanager
def new_folder(root: str | Path) -> Iterator[Path]:
    """Fill a folder under another name; it gets its own when all went well.

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
        FileExistsError: It exists.
    """
    if file.exists():
        raise FileExistsError(f"'{file}' exists and is not overwritten")
    with file.open('x', newline='', encoding='utf-8') as stream:
        csv.writer(stream).writerows([header, *rows])


def save_image(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 pixels, (H, W) or (H, W, 3), and the folders above them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
