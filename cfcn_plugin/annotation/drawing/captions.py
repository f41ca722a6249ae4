"""Texts to show with the images: their classes, or what else a table says of them."""

import csv
from pathlib import Path

from cfcn_plugin.masks.errors import MaskError, at
from cfcn_plugin.masks.io.stored_names import normal_name
from cfcn_plugin.masks.io.table import open_csv


def read_captions(
    file: str | Path, images: str | Path, names: list[str]
) -> dict[str, str]:
    """The other columns of a CSV file whose first column is the image.

    Args:
        file: A CSV file with a header.
        images: Folder of images.
        names: The images, paths below ``images``. A line's image is such a path, or
            ends in such a path below a parent of the folder.

    Returns:
        A text for each image that has a line.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The file is not CSV, or no line names an image.
    """
    known = {}
    for name in names:
        parts = [*Path(images).absolute().parts[1:], *name.split('/')]
        for start in range(len(parts) - name.count('/') - 1, 0, -1):
            known[normal_name('/'.join(parts[start:]))] = name
        known[normal_name(name)] = name
    texts = {}
    with at(f"'{file}'"), open_csv(Path(file)) as stream:
        rows = csv.reader(stream)
        header = next(rows, [])
        for row in filter(None, rows):
            name = known.get(normal_name(row[0]))
            if name is not None:
                cells = [
                    value if len(header) == 2 else f'{column}: {value}'
                    for column, value in zip(header[1:], row[1:])
                ]
                texts[name] = ' · '.join(cells)
        if not texts:
            raise MaskError(
                f"no line begins with the path of an image, such as '{names[0]}'"
            )
    return texts
