"""Lines and entries of a file of boxes, CSV or JSON, as they are written."""
import csv
import json
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

from .base import MaskError

Entry = tuple[str, tuple]  # (place in the file, values of the columns)


def read_entries(file: Path, path: str, columns: tuple[str, ...]) -> Iterator[Entry]:
    """Image and columns of every box in a CSV or JSON file.

    Args:
        file: Ends in .csv or .json.
        path: Column with the image's name.
        columns: The others.

    Yields:
        Where it stands, and the values: the name, then the columns in their order;
        None where a line is too short.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: It is another kind of file, or its columns are others.
    """
    if not file.is_file():
        raise FileNotFoundError(f"file of boxes '{file}' does not exist: correct "
                                '`ann_file` or `data_root`')
    if file.suffix == '.csv':
        return _csv_entries(file, (path, *columns))
    if file.suffix == '.json':
        return _json_entries(file, (path, *columns))
    raise MaskError(f"'{file}': expected a .csv or .json file")


def _csv_entries(file: Path, columns: tuple) -> Iterator[Entry]:
    with file.open(newline='', encoding='utf-8-sig') as stream:
        # a DictReader takes three times as long
        reader = csv.reader(stream)
        try:
            header = next(reader, [])
            _check_columns(header, columns, f"'{file}', its header")
            pick = itemgetter(*map(header.index, columns))
            for row in reader:
                if len(row) < len(header):
                    if not row:
                        continue
                    row += [None] * (len(header) - len(row))
                yield f'line {reader.line_num}', pick(row)
        except (UnicodeDecodeError, csv.Error) as error:
            raise MaskError(f"'{file}' is not a CSV file in UTF-8 ({error})") from error


def _json_entries(file: Path, columns: tuple) -> Iterator[Entry]:
    content = read_json(file)
    if isinstance(content, dict):
        if len(columns) > 5:
            raise MaskError(f"'{file}': an object of lists of boxes has no "
                            f"'{columns[5]}'; expected a list of objects with "
                            f'{list(columns)}')
        for name, boxes in content.items():
            if not isinstance(boxes, list):
                raise MaskError(f"'{file}', '{name}': expected a list of boxes, got "
                                f'{boxes!r}')
            for box in boxes:
                if not isinstance(box, list):
                    raise MaskError(f"'{file}', '{name}': expected four finite "
                                    f'numbers, got {box!r}')
                yield f"'{name}'", [name, *box]
    elif isinstance(content, list):
        for i, entry in enumerate(content):
            if not isinstance(entry, dict):
                raise MaskError(f"'{file}', entry {i}: expected an object with "
                                f'{list(columns)}, got {entry!r}')
            _check_columns(entry, columns, f"'{file}', entry {i}")
            yield f'entry {i}', [entry[column] for column in columns]
    else:
        raise MaskError(f"'{file}': expected an object or a list, got "
                        f'{type(content).__name__}')


def read_json(file: Path, hook: Callable[[dict], Any] = lambda entry: entry):
    """What a JSON file holds.

    Args:
        file: The file, in UTF-8.
        hook: Called with each object as soon as it is read; what it returns takes the
            object's place.

    Raises:
        MaskError: It is no JSON in UTF-8, or an object has a name twice.
    """

    def unique(pairs: list[tuple[str, Any]]):
        entry = dict(pairs)
        if len(entry) < len(pairs):
            twice = next(n for i, (n, _) in enumerate(pairs) if n in dict(pairs[:i]))
            raise MaskError(f"'{file}': '{twice}' stands twice in one object, where "
                            'JSON keeps the last alone: put both into one')
        return hook(entry)

    try:
        with file.open(encoding='utf-8-sig') as stream:
            return json.load(stream, object_pairs_hook=unique)
    except MaskError:
        raise
    except (ValueError, RecursionError) as error:  # also a number of 5000 digits
        raise MaskError(f"'{file}' is not JSON in UTF-8 ({error})") from error


def _check_columns(found, wanted: tuple, where: str) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        raise MaskError(f'{where}: {missing} missing, got {list(found)}; name the '
                        'columns with `path` and `box`')
