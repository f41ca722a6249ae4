"""Waterbirds: labels, places and boxes in one table beside the published images."""

from pathlib import Path

from cfcn_plugin.masks.cub import read_cub_boxes
from cfcn_plugin.masks.errors import at, expect
from cfcn_plugin.masks.io.rectangles import read_box
from cfcn_plugin.masks.io.table import read_entries

from .new_dataset import write_table

FILE = 'labels.csv'
COLUMNS = ('img_filename', 'y', 'split', 'place')
# the numbers of metadata.csv
BIRDS = {'0': 'landbird', '1': 'waterbird'}
PLACES = {'0': 'land', '1': 'water'}
SPLITS = {'0': 'train', '1': 'val', '2': 'test'}


def list_waterbirds(root: str | Path, cub: str | Path) -> Path:
    """Write ``labels.csv`` (filename, label, split, place, x0 ... y1) into the tree.

    An image is its CUB image with another background, so the bird's box is CUB's.

    Args:
        root: The published folder, with ``metadata.csv``.
        cub: CUB-200-2011, with ``images.txt`` and ``bounding_boxes.txt``.

    Raises:
        FileExistsError: The file exists.
        FileNotFoundError: A file is missing.
        MaskError: CUB's two files do not belong together.
        ValueError: ``metadata.csv`` is not as published, or has an image that CUB has
            not.
    """
    root = Path(root)
    box_file, boxes = Path(cub, 'bounding_boxes.txt'), {}
    with at(f"'{box_file}'"):
        for line, (name, *box) in read_cub_boxes(box_file, Path(cub, 'images.txt')):
            with at(line):
                boxes[name] = read_box(box, 'xywh')
    with at(f"'{root / 'metadata.csv'}'"):
        rows = list(_rows(root / 'metadata.csv', boxes))
    return write_table(
        root / FILE,
        ('filename', 'label', 'split', 'place', 'x0', 'y0', 'x1', 'y1'),
        rows,
    )


def _rows(file: Path, boxes: dict[str, tuple]):
    for line, (name, bird, split, place) in read_entries(file, COLUMNS):
        with at(line):
            expect(
                bird in BIRDS and split in SPLITS and place in PLACES,
                'y and place 0 or 1 and split 0, 1 or 2',
                (bird, place, split),
            )
            expect(name in boxes, 'an image that CUB has a box of', name)
        yield name, BIRDS[bird], SPLITS[split], PLACES[place], *boxes[name]
