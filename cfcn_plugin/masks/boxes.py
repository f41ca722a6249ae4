"""Boxes around the causal object, in one CSV or JSON file."""
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from .base import MaskRecord, check_option, expect, is_plain
from .index import IndexedMasks
from .io.names import image_name
from .io.rectangles import Box, draw_boxes, read_box
from .io.table import Entry, read_entries
from .objects import Annotated, ObjectChoice

FORMATS = ('xyxy', 'xywh')
RECORD = np.dtype([('box', '<f8', 4), ('category', '<i4')])
CHUNK = 256  # entries checked at once: few enough for the processor's cache


class BoxMasks(IndexedMasks):
    """The inside of an image's boxes is causal (paper, appendix A).

    CSV: a header, then a line a box; lines of the same image add up (a line that
    stands twice changes nothing). JSON: either a list of objects with the same names
    as the CSV's columns, or an object ``{image: [[x0, y0, x1, y1], ...]}`` (the
    category last, if there is one).
    Coordinates are pixels, x to the right, y down, the image's corner at (0, 0); a
    pixel is inside when its centre is. What hangs over the image's edge is cut off.

    Args:
        ann_file: The file, below ``data_root``.
        data_root: The dataset's root.
        path: Column with the image's path below ``data_root``.
        box: The four columns.
        format: ``'xyxy'`` (corners) or ``'xywh'`` (corner and size).
        category: Column with the category of what is in the box. The options of
            ``ObjectChoice`` need it.
        **choice: Options of :class:`~cfcn_plugin.masks.objects.ObjectChoice`.
    """
    entry = 'box'

    def __init__(self,
                 ann_file: str,
                 data_root: str = '',
                 path: str = 'filename',
                 box: Sequence[str] = ('x0', 'y0', 'x1', 'y1'),
                 format: str = 'xyxy',
                 category: str | None = None,
                 **choice):
        check_option('format', format, FORMATS)
        if len(box) != 4:
            raise ValueError(f'`box` must name four columns, got {list(box)}')
        if choice and category is None:
            raise ValueError(f'{sorted(choice)} need `category`, the column with the '
                             "category of what is in a box")
        self.choice = ObjectChoice(**choice)
        self.path = path
        self.columns = tuple(box)
        self.format = format
        self.category = category
        self._codes: dict[str, int] = {}  # category -> number, in the file's order
        super().__init__(ann_file, data_root)
        self.categories = list(self._codes) or ['']
        if category is not None:
            self.choice.check_seen(self.categories, str(self.file))

    def read(self, records: list[bytes], file: str, results: dict) -> MaskRecord:
        found = [Annotated(self.categories[code], box.tolist())
                 for box, code in np.frombuffer(b''.join(records), RECORD)]
        return self.choice.record(
            found,
            lambda boxes: draw_boxes(boxes, results['ori_shape'][:2], f"'{file}'"),
            results, file)

    def entries(self) -> Iterator[Entry]:
        """File and place, and (image, four numbers as written, category)."""
        named = () if self.category is None else (self.category, )
        return read_entries(self.file, (self.path, *self.columns, *named),
                            remedy='; name the columns with `path` and `box`')

    def records(self) -> Iterator[tuple[str, bytes]]:
        entries = self.entries()
        while chunk := list(islice(entries, CHUNK)):
            # one by one only where something may be wrong: the message names the place
            names, boxes = self._read_valid([values for _, values in chunk]) or zip(
                *(self._read_one(where, values) for where, values in chunk))
            records = np.zeros(len(chunk), RECORD)
            records['box'] = boxes
            if self.category is not None:
                records['category'] = [
                    self._codes.setdefault(str(values[-1]), len(self._codes))
                    for _, values in chunk
                ]
            yield from zip(names, records.view(f'V{RECORD.itemsize}').tolist())

    def _read_valid(self, rows: list[Sequence]) -> tuple[tuple, np.ndarray] | None:
        """Keys and boxes (N, 4) as x0, y0, x1, y1; None if a row may be wrong."""
        if set(map(len, rows)) != {5 + (self.category is not None)}:
            return None
        names, *columns = islice(zip(*rows), 5)
        try:
            x0, y0, x1, y1 = (np.fromiter(map(float, c), float) for c in columns)
        except (TypeError, ValueError, OverflowError):
            return None
        if self.format == 'xywh':
            x1, y1 = x0 + x1, y0 + y1
        boxes = np.stack([x0, y0, x1, y1], 1)
        fine = np.isfinite(boxes).all() and (x1 > x0).all() and (y1 > y0).all()
        named = all(map(is_plain, names)) and all(row[-1] for row in rows)  # category
        return (names, boxes) if fine and named else None

    def _read_one(self, where: str, values: Sequence) -> tuple[str, Box]:
        """Key and box of one entry; an error says what is wrong with the entry."""
        name, *numbers = values
        if self.category is not None:
            expect(len(numbers) == 5 and numbers.pop() not in (None, ''), where,
                   f"four numbers and a category in '{self.category}'", values[1:])
        remedy = f", or is `format` not '{self.format}'?"
        return image_name(name, where), read_box(numbers, where, self.format, remedy)
