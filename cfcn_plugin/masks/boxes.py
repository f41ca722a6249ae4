"""Boxes around the causal object, in one CSV or JSON file."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import starmap

from cfcn_plugin.options import check_choice, check_flag

from .base import MaskRecord
from .deferred import read_or_defer
from .errors import MaskError, at, expect
from .index import IndexedMasks
from .io.names import image_name
from .io.rectangles import Box, draw_boxes, read_box
from .io.table import Entry, read_entries
from .objects import Annotated, ObjectChoice

FORMATS = ('xyxy', 'xywh')


class BoxMasks(IndexedMasks):
    """The inside of an image's boxes is causal (paper, appendix A).

    CSV: a header, then one line per box. The mask is the union of all boxes of an
    image, so a repeated line changes nothing. JSON: either a list of objects with the
    names of the CSV's columns, or an object ``{image: [[x0, y0, x1, y1], ...]}`` (with
    the category last, if there is one).
    Coordinates are x to the right, y down, the image's corner at (0, 0). A pixel is
    inside if its centre is inside. Boxes are clipped to the image.

    Args:
        ann_file: The file, below ``data_root``.
        data_root: The dataset's root.
        path: Column with the image's path below ``data_root``.
        box: The four columns.
        format: ``'xyxy'`` (corners) or ``'xywh'`` (corner and size).
        category: Column with the category of the object in the box. Required by the
            options of ``ObjectChoice``.
        normalized: True: coordinates are fractions of the image's width and height, as
            in Open Images. False: they are pixels. None: they are pixels, and a box
            of no more than the first pixel is an error.
        **choice: Options of :class:`.ObjectChoice`.
    """

    entry = 'box'

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        path: str = 'filename',
        box: Sequence[str] = ('x0', 'y0', 'x1', 'y1'),
        format: str = 'xyxy',
        category: str | None = None,
        normalized: bool | None = None,
        **choice,
    ):
        check_flag('normalized', normalized, optional=True)
        check_choice('format', format, FORMATS)
        if len(box) != 4:
            raise ValueError(f'`box` must name four columns, got {list(box)}')
        self.choice = ObjectChoice(**choice)
        if choice and category is None:
            raise ValueError(
                f'{sorted(choice)} need `category`, the column with the '
                'category of the object in a box'
            )
        self.path = path
        self.columns = tuple(box)
        self.format = format
        self.category = category
        self.normalized = normalized
        super().__init__(ann_file, data_root)

    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        found = starmap(Annotated, records)
        draw = partial(draw_boxes, normalized=self.normalized)
        return self.choice.record(found, draw, results, file)

    def entries(self) -> Iterator[Entry]:
        """Place in the file, and (image, four unparsed numbers, category)."""
        named = () if self.category is None else (self.category,)
        return read_entries(
            self.file,
            (self.path, *self.columns, *named),
            remedy='; name the columns with `path` and `box`',
        )

    def records(self) -> Iterator[tuple[str, tuple[str, Box | None] | MaskError]]:
        seen = set()
        for place, (image, *values) in self.entries():
            with at(place):
                key = image_name(image)
            yield key, read_or_defer(place, self._read_entry, values, seen)
        if seen:
            self.choice.check_seen(seen)

    def _read_entry(self, values: list, seen: set[str]) -> tuple[str, Box | None]:
        """Category and box of an entry; no box if the category is not wanted."""
        category = ''
        if self.category is not None:
            expect(
                len(values) == 5 and values[4] not in (None, ''),
                f"four numbers and a category in '{self.category}'",
                values,
            )
            category = str(values.pop())
            seen.add(category)
            if not self.choice.wants(category):
                return category, None
        remedy = f", or is `format` not '{self.format}'?"
        return category, read_box(values, self.format, remedy)
