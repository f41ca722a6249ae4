"""Boxes around the causal object, in one CSV or JSON file."""
import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mmpretrain.registry import TASK_UTILS

from .base import MaskError, MaskRecord, MaskSource, unknown

FORMATS = ('xyxy', 'xywh')


@TASK_UTILS.register_module()
class BoxMasks(MaskSource):
    """The inside of an image's boxes is causal (paper, appendix A).

    CSV: a header, then a line a box; lines of the same image add up. JSON: either
    a list of objects with the same names as the CSV's columns, or an object
    ``{image: [[x0, y0, x1, y1], ...]}``. Coordinates are pixels, x to the right,
    y down, the picture's corner at (0, 0); a pixel is inside when its centre is.
    What hangs over the picture's edge is cut off.

    Args:
        ann_file: The file, below ``data_root``.
        data_root: The dataset's root.
        path: Column with the image's path below ``data_root``.
        box: The four columns.
        format: ``'xyxy'`` (corners) or ``'xywh'`` (corner and size).
    """

    def __init__(self,
                 ann_file: str,
                 data_root: str = '',
                 path: str = 'filename',
                 box: tuple[str, str, str, str] = ('x0', 'y0', 'x1', 'y1'),
                 format: str = 'xyxy'):
        super().__init__(data_root)
        if format not in FORMATS:
            raise ValueError(f'`format` must be one of {FORMATS}, got {format!r}')
        if len(box) != 4:
            raise ValueError(f'`box` must name four columns, got {list(box)}')
        self.file = Path(data_root, ann_file)
        self.path = path
        self.columns = tuple(box)
        self.format = format
        self.boxes: dict[str, list[tuple]] = {}
        for where, name, numbers in self._entries():
            box = self._parse(where, numbers)
            self.boxes.setdefault(str(name), []).append(box)
        if not self.boxes:
            raise MaskError(f"'{self.file}' holds no box: expected one line a box")

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        boxes = self.boxes.get(key)
        if boxes is None:
            return None
        height, width = results['ori_shape'][:2]
        mask = np.zeros((height, width), np.uint8)
        for x0, y0, x1, y1 in boxes:
            if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
                raise MaskError(
                    f"box {(x0, y0, x1, y1)} of '{key}' in '{self.file}' lies outside "
                    f'the picture of {width} x {height} pixels')
            rows, columns = (slice(max(_first(low), 0), max(_first(high), 0))
                             for low, high in ((y0, y1), (x0, x1)))
            mask[rows, columns] = 1
        return MaskRecord(mask, f"{self.file}', '{key}")

    def keys(self) -> list[str]:
        return list(self.boxes)

    def check(self) -> None:
        strangers = [
            key for key in self.boxes if not Path(self.data_root, key).is_file()
        ]
        if strangers:
            raise unknown(strangers, 'boxes', f"'{self.file}'")

    def _entries(self) -> Iterator[tuple]:
        """(where, image, four numbers as written) of every box."""
        if not self.file.is_file():
            raise FileNotFoundError(
                f"file of boxes '{self.file}' does not exist: correct `ann_file` or "
                f'`data_root` ({self.data_root!r})')
        if self.file.suffix == '.csv':
            yield from self._csv_entries()
        elif self.file.suffix == '.json':
            yield from self._json_entries()
        else:
            raise MaskError(f"'{self.file}': expected a .csv or .json file")

    def _csv_entries(self) -> Iterator[tuple]:
        with self.file.open(newline='', encoding='utf-8-sig') as stream:
            try:
                reader = csv.DictReader(stream)
                self._check_columns(reader.fieldnames or (), 'its header')
                for row in reader:
                    yield (f'line {reader.line_num}', row[self.path],
                           [row[c] for c in self.columns])
            except (UnicodeDecodeError, csv.Error) as error:
                raise MaskError(f"'{self.file}' is not a CSV file in UTF-8 "
                                f'({error})') from error

    def _json_entries(self) -> Iterator[tuple]:
        try:
            content = json.loads(self.file.read_text(encoding='utf-8-sig'))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise MaskError(f"'{self.file}' is not JSON ({error})") from error
        if isinstance(content, dict):
            for name, boxes in content.items():
                if not isinstance(boxes, list):
                    raise MaskError(f"'{self.file}', '{name}': expected a list of "
                                    f'boxes, got {boxes!r}')
                for box in boxes:
                    yield f"'{name}'", name, box
        elif isinstance(content, list):
            for i, entry in enumerate(content):
                if not isinstance(entry, dict):
                    raise MaskError(
                        f"'{self.file}', entry {i}: expected an object with "
                        f'{[self.path, *self.columns]}, got {entry!r}')
                self._check_columns(entry, f'entry {i}')
                yield f'entry {i}', entry[self.path], [entry[c] for c in self.columns]
        else:
            raise MaskError(f"'{self.file}': expected an object or a list, got "
                            f'{type(content).__name__}')

    def _check_columns(self, found, where: str) -> None:
        missing = [c for c in (self.path, *self.columns) if c not in found]
        if missing:
            raise MaskError(
                f"'{self.file}', {where}: {missing} missing, got {list(found)}; name "
                'the columns with `path` and `box`')

    def _parse(self, where: str, numbers) -> tuple[float, float, float, float]:
        try:
            box = tuple(float(n) for n in numbers)
        except (TypeError, ValueError):
            box = ()
        if len(box) != 4 or not all(math.isfinite(n) for n in box):
            raise MaskError(f"'{self.file}', {where}: expected four finite numbers "
                            f'{self.columns}, got {numbers}')
        x0, y0, x1, y1 = box
        if self.format == 'xywh':
            x1, y1 = x0 + x1, y0 + y1
        if not (x1 > x0 and y1 > y0):
            raise MaskError(
                f"'{self.file}', {where}: box {list(box)} has no inside; expected "
                f"x1 > x0 and y1 > y0, or is `format` not '{self.format}'?")
        return x0, y0, x1, y1


def _first(edge: float) -> int:
    """First pixel whose centre is at or beyond ``edge``."""
    return math.ceil(edge - 0.5)
