"""Points that a person clicked, in one CSV or JSON file."""

import math
from collections.abc import Iterator

import numpy as np

from cfcn_plugin.options import check_flag

from .base import MaskRecord
from .deferred import read_or_defer
from .errors import MaskError, at, expect
from .index import IndexedMasks
from .io.names import image_name
from .io.numbers import read_number
from .io.scale import to_pixels
from .io.shapes import FAR, check_inside, check_radius, draw_stroke, pixel_radius
from .io.table import read_entries


class PointMasks(IndexedMasks):
    """Pixels near an image's points are causal.

    CSV: a header with ``image, x, y`` and optionally ``radius``, then one line per
    point. JSON: a list of objects with these names, or an object
    ``{image: [[x, y], [x, y, radius], ...]}``. Coordinates are x to the right, y down,
    the image's corner at (0, 0).

    Args:
        ann_file: The file, below ``data_root``.
        data_root: The dataset's root, which ``image`` is relative to.
        radius: Default radius of points, 0 or more.
        unit: Unit of every radius: ``'diagonal'`` for a fraction of the image's
            diagonal, or ``'pixel'``.
        normalized: True: ``x`` and ``y`` are fractions of the image's width and height.
            False: they are pixels. None: they are pixels, and a point within
            [0, 1] is an error, except whole numbers.
    """

    entry = 'point'

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        radius: float = 0.05,
        unit: str = 'diagonal',
        normalized: bool | None = None,
    ):
        check_flag('normalized', normalized, optional=True)
        check_radius(radius, unit)
        self.radius = radius
        self.unit = unit
        self.normalized = normalized
        super().__init__(ann_file, data_root)

    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        shape = results['ori_shape'][:2]
        mask = np.zeros(shape, np.uint8)
        for *point, radius in records:
            point = np.array([to_pixels(point, shape, self.normalized)])
            check_inside(point, 0, shape)
            mask |= draw_stroke(point, pixel_radius(radius, self.unit, shape), shape)
        return MaskRecord(mask, file)

    def records(self) -> Iterator[tuple[str, tuple | MaskError]]:
        for place, (image, *numbers) in read_entries(
            self.file, ('image', 'x', 'y'), ('radius',)
        ):
            with at(place):
                key = image_name(image)
            yield key, read_or_defer(place, self._parse, numbers)

    def _parse(self, numbers: list) -> tuple[float, float, float]:
        values = numbers
        if len(numbers) == 2 or (len(numbers) == 3 and numbers[2] in (None, '')):
            values = [*numbers[:2], self.radius]
        try:
            x, y, radius = map(read_number, values)
        except ValueError:
            x = y = radius = math.nan
        # written so that NaN fails
        expect(
            abs(x) < FAR and abs(y) < FAR and 0 <= radius < FAR,
            'finite numbers x, y and perhaps a radius of 0 or more',
            numbers,
        )
        return x, y, radius
