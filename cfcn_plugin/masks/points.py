"""Points that a person clicked, in one CSV or JSON file."""
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mmpretrain.registry import TASK_UTILS

from .base import MaskError, MaskRecord, MaskSource, below, unknown
from .json_file import read_json
from .shapes import check_inside, check_radius, draw_stroke, in_pixels, read_points

COLUMNS = ('image', 'x', 'y', 'radius')


@TASK_UTILS.register_module()
class PointMasks(MaskSource):
    """What is near an image's points is causal.

    CSV: a header with ``image, x, y`` and, if they differ, ``radius``; lines of one
    image add up. JSON: a list of objects with these names, or an object
    ``{image: [[x, y], [x, y, radius], ...]}``. Coordinates are pixels, x to the right,
    y down, the picture's corner at (0, 0).

    Args:
        ann_file: The file, below ``data_root``.
        data_root: The dataset's root, which ``image`` is relative to.
        radius: Of points that have none of their own, 0 or more.
        unit: Of every radius: ``'diagonal'`` for a share of the picture's, or
            ``'pixel'``.
    """

    def __init__(self,
                 ann_file: str,
                 data_root: str = '',
                 radius: float = 0.05,
                 unit: str = 'diagonal'):
        super().__init__(data_root)
        check_radius(radius, unit)
        self.file = Path(data_root, ann_file)
        self.radius = radius
        self.unit = unit
        self.points: dict[str, list[tuple]] = {}
        for where, image, numbers in self._entries():
            self.points.setdefault(image, []).append(self._parse(numbers, where))
        if not self.points:
            raise MaskError(f"'{self.file}' holds no point: expected one line a point")
        for image in self.points:
            below(data_root, image, f"'{self.file}'")

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        if key not in self.points:
            return None
        shape, file = results['ori_shape'][:2], f"{self.file}', '{key}"
        mask = np.zeros(shape, np.uint8)
        for x, y, radius in self.points[key]:
            point = np.array([(x, y)])
            check_inside(point, 0, shape, f"'{file}'")
            mask |= draw_stroke(point, in_pixels(radius, self.unit, shape), shape)
        return MaskRecord(mask, file)

    def keys(self) -> list[str]:
        return list(self.points)

    def check(self) -> None:
        root = Path(self.data_root)
        strangers = [key for key in self.points if not (root / key).is_file()]
        if strangers:
            raise unknown(strangers, 'images', f"'{self.file}'")

    def _parse(self, numbers: list, where: str) -> tuple[float, float, float]:
        if not isinstance(numbers, list) or len(numbers) not in (2, 3):
            raise MaskError(f'{where}: expected x, y and perhaps a radius, got '
                            f'{numbers!r}')
        (x, y), = read_points([numbers[:2]], 1, where).tolist()
        radius = numbers[2] if len(numbers) == 3 else None
        if radius in (None, ''):
            return x, y, self.radius
        (radius, _), = read_points([(radius, 0)], 1, f'{where}, radius').tolist()
        if radius < 0:
            raise MaskError(f'{where}: expected a radius of 0 or more, got {radius}')
        return x, y, radius

    def _entries(self) -> Iterator[tuple[str, str, list]]:
        """(where, image, numbers as written) of every point."""
        if self.file.suffix == '.csv':
            yield from self._csv_entries()
        elif self.file.suffix == '.json':
            yield from self._json_entries()
        else:
            raise MaskError(f"'{self.file}': expected a .csv or .json file")

    def _csv_entries(self) -> Iterator[tuple[str, str, list]]:
        if not self.file.is_file():
            raise FileNotFoundError(f"file of points '{self.file}' does not exist: "
                                    'correct `ann_file` or `data_root`')
        with self.file.open(newline='', encoding='utf-8-sig') as stream:
            try:
                reader = csv.DictReader(stream)
                self._check_names(reader.fieldnames or (), 'its header')
                for row in reader:
                    where = f"'{self.file}', line {reader.line_num}"
                    yield (where, *self._of_names(row))
            except (UnicodeDecodeError, csv.Error) as error:
                raise MaskError(f"'{self.file}' is not a CSV file in UTF-8 "
                                f'({error})') from error

    def _json_entries(self) -> Iterator[tuple[str, str, list]]:
        content = read_json(self.file, (list, dict))
        if isinstance(content, list):
            for number, entry in enumerate(content):
                self._check_names(entry, f'entry {number}')
                yield (f"'{self.file}', entry {number}", *self._of_names(entry))
            return
        for image, points in content.items():
            where = f"'{self.file}', '{image}'"
            if not isinstance(points, list):
                raise MaskError(f'{where}: expected a list of points, got {points!r}')
            for point in points:
                yield where, image, point

    @staticmethod
    def _of_names(entry: dict) -> tuple[str, list]:
        image, *numbers = (entry.get(name) for name in COLUMNS)
        return str(image), numbers

    def _check_names(self, found, where: str) -> None:
        if isinstance(found, str) or not hasattr(found, '__iter__'):
            found = [found]
        missing = [name for name in COLUMNS[:3] if name not in found]
        if missing:
            raise MaskError(f"'{self.file}', {where}: {missing} missing, got "
                            f'{list(found)}; expected {COLUMNS}, radius if points have '
                            'one')
