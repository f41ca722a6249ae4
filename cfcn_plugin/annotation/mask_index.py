"""The index of a folder of masks, one row for each file."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cfcn_plugin.atomic_write import atomic_write


class IndexRow(NamedTuple):
    """A row of the index: one mask file.

    Attributes:
        image: The image's name.
        mask: The mask file, below the folder of masks.
        height, width: Size of image and mask, in pixels.
        area: Causal fraction of the image, in [0, 1].
        ignored: Fraction of pixels marked as unknown, in [0, 1].
        classes: Labels with a mask in the file, separated by spaces.
        ways: How the image's marks became outlines, ``outline=2 ellipse=1``
            (``Refined.ways``); empty if they were not refined.
        kept: Area of the outlines over the area of the marks.
    """

    image: str
    mask: str
    height: int
    width: int
    area: float
    ignored: float
    classes: str
    ways: str = ''
    kept: float = 1.0


def read_index(file: Path) -> list[IndexRow]:
    """The rows of an index; the last row of a killed run may be cut, and is left out.

    Raises:
        ValueError: The file is no index of this version.
    """
    try:
        text = file.read_bytes().decode()
        header, *rows = csv.reader(io.StringIO(text, newline=''))
        # a folder from before outlines lacks the last columns
        if tuple(header) not in (IndexRow._fields, IndexRow._fields[:-2]):
            raise ValueError(f'expected the columns {IndexRow._fields}, got {header}')
        if rows and not (text.endswith('\n') and len(rows[-1]) == len(header)):
            rows.pop()
        types = list(IndexRow.__annotations__.values())[: len(header)]
        return [
            IndexRow(*(of(cell) for of, cell in zip(types, cells, strict=True)))
            for cells in rows
        ]
    except (ValueError, csv.Error) as error:
        raise ValueError(
            f"'{file}' cannot be read ({error}): delete the file, and each mask is "
            'made again and compared'
        ) from error


def write_index(file: Path, rows: Iterable[IndexRow]) -> None:
    """Write an index anew, atomically."""
    text = io.StringIO(newline='')
    csv.writer(text).writerows([IndexRow._fields, *rows])
    atomic_write(file, text.getvalue())
