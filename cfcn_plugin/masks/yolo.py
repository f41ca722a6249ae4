"""Labels of YOLO, one text file per image."""
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .base import MaskError, MaskRecord, at, check_names, expect
from .folder import FolderMasks
from .io.files import read_lines
from .io.numbers import read_number, read_whole
from .io.rectangles import draw_boxes, read_box
from .io.shapes import fill_polygon
from .objects import Annotated, ObjectChoice

EDGE = 0.01  # tolerance for coordinates that converters round to outside the image


class YOLOMasks(FolderMasks):
    """YOLO: one line per object, normalised boxes or polygons.

    The labels of ``<data_root>/<images>/a/b.jpg`` are ``<data_root>/<labels>/a/b.txt``.
    A line is ``number cx cy width height``, or ``number x0 y0 x1 y1 x2 y2 ...`` with
    three points or more, in fractions of the image's width and height. A repeated line
    changes nothing. An empty file gives an empty mask.

    Args:
        labels: Folder of text files below ``data_root``.
        images: Folder of images below ``data_root``.
        data_root: The dataset's root.
        names: Names of the categories by number, ``names`` of YOLO's ``data.yaml``: a
            list or ``{number: name}``. None: a category's name is its number as text.
        **choice: Options of :class:`.ObjectChoice`. By default YOLO's number is the
            class.
    """

    option = 'labels'

    def __init__(self,
                 labels: str = 'labels',
                 images: str = 'images',
                 data_root: str = '',
                 names: Sequence[str] | dict[int, str] | None = None,
                 **choice):
        super().__init__(labels, images, data_root, '.txt')
        check_names('names', names)
        if names is not None:
            # a dumped config has text keys instead of numbers
            pairs = names.items() if isinstance(names, dict) else enumerate(names)
            names = {read_whole(number): name for number, name in pairs}
        if names is not None and choice.get('objects', 'all') != 'all':
            choice.setdefault('classes', {name: i for i, name in names.items()})
        self.choice = ObjectChoice(**choice)
        self.names = names
        if names is not None:
            with at('`names`'):
                self.choice.check(set(names.values()))

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        found = []
        for place, line in read_lines(file):
            with at(place):
                found.append(self._read_object(line.split(), shape))
        return self.choice.record(found, _draw, results, str(file))

    def _read_object(self, words: list[str], shape: tuple) -> Annotated:
        """An object, its box or polygon in pixels."""
        number, *values = words
        expect(number.isascii() and number.isdecimal() and len(number) < 10,
               "a category's number first", number)
        name = str(int(number)) if self.names is None else self.names.get(int(number))
        if name is None:
            raise MaskError(f'category {number} is none of the {len(self.names)} '
                            '`names`: correct one of them')
        try:
            fractions = np.array([*map(read_number, values)])
        except ValueError:
            fractions = np.zeros(0)
        count = len(fractions)
        expect(count == 4 or count >= 6 and count % 2 == 0,
               '4 numbers (a box) or an even count of 6 and more (a polygon) after the '
               "category's", ' '.join(values))
        scale = np.tile(shape[::-1], count // 2)
        if count > 4:
            outline = (fractions * scale).reshape(-1, 2)
        else:
            centre, half = fractions[:2], fractions[2:] / 2
            fractions = np.concatenate([centre - half, centre + half])
            outline = read_box((fractions * scale).tolist(),
                               remedy=': width and height must be over 0')
        # written so that NaN fails
        if not ((fractions >= -EDGE) & (fractions <= 1 + EDGE)).all():
            raise MaskError(
                "expected fractions of the image's width and height within [0, 1], got "
                f"{' '.join(values)[:60]!r}: are the numbers pixels?")
        return Annotated(name, outline)


def _draw(outlines: list, shape: tuple[int, int]) -> np.ndarray:
    """The union of boxes (tuples) and polygons (arrays)."""
    mask = draw_boxes((one for one in outlines if isinstance(one, tuple)), shape)
    for one in outlines:
        if not isinstance(one, tuple):
            mask |= fill_polygon(one, shape)
    return mask
