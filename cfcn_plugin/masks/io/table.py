"""Unparsed rows of a CSV or JSON file with one image name per row."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from cfcn_plugin.masks.errors import MaskError, at, expect

from .files import check_exists, encoding_error, read_json

Entry = tuple[str, Sequence]  # place in the file, values of the columns


def read_entries(
    file: Path,
    columns: tuple[str, ...],
    optional: tuple[str, ...] = (),
    remedy: str = '',
) -> Iterator[Entry]:
    """The values of each entry of a file.

    CSV: a header, then one line per entry. JSON: a list of objects with the names of
    the CSV's columns, or an object ``{image: [[value, ...], ...]}``.

    Args:
        file: A .csv or .json file.
        columns: Names of the required columns, first the column of the image.
        optional: Names of optional columns.
        remedy: Appended to the message for a file without a required column.

    Yields:
        Place of the entry, and its unparsed values in the order of columns. The number
        of values may be wrong; values missing in a short line are None.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The file has another format, or lacks a column.
    """
    if file.suffix == '.csv':
        return _csv_entries(file, columns, optional, remedy)
    if file.suffix == '.json':
        return _json_entries(file, columns, optional, remedy)
    raise MaskError('expected a .csv or .json file')


@contextmanager
def open_csv(file: Path) -> Iterator[TextIO]:
    """Open a CSV file in UTF-8, with or without a byte order mark.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The file is not CSV in UTF-8 (also raised during reading).
    """
    check_exists(file)
    with file.open(newline='', encoding='utf-8-sig') as stream:
        try:
            yield stream
        except UnicodeDecodeError as error:
            raise encoding_error('a CSV file', error) from error
        except csv.Error as error:
            raise MaskError(f'not a CSV file in UTF-8 ({error})') from error


def _csv_entries(
    file: Path, columns: tuple, optional: tuple, remedy: str
) -> Iterator[Entry]:
    with open_csv(file) as stream:
        # csv.DictReader takes three times as long
        reader = csv.reader(stream)
        header = next(reader, [])
        with at('its header'):
            _check_columns(header, columns, remedy)
            twice = [name for name in columns if header.count(name) > 1]
            if twice:
                raise MaskError(
                    f'{twice} occur twice, got {header}: which one is meant?'
                )
        there = (*columns, *(name for name in optional if name in header))
        pick = itemgetter(*map(header.index, there))
        for row in reader:
            place = f'line {reader.line_num}'
            if len(row) > len(header):
                raise MaskError(
                    f'{place}: {len(row)} values, and {len(header)} '
                    'columns: put names with a comma in quotes'
                )
            if row:
                yield place, pick(row + [None] * (len(header) - len(row)))


def _json_entries(
    file: Path, columns: tuple, optional: tuple, remedy: str
) -> Iterator[Entry]:
    content = read_json(file, (dict, list))
    if isinstance(content, list):
        for number, entry in enumerate(content):
            place = f'entry {number}'
            with at(place):
                expect(
                    isinstance(entry, dict), f'an object with {list(columns)}', entry
                )
                # the first entry shows wrong names of columns, another is just broken
                _check_columns(entry, columns if number == 0 else columns[:1], remedy)
            there = (name for name in optional if name in entry)
            yield place, [*map(entry.get, columns), *(entry[name] for name in there)]
        return
    shown = f'[{", ".join((*columns[1:], *optional))}]'
    for name, values in content.items():
        with at(f"'{name}'"):
            expect(isinstance(values, list), f'a list of {shown}', values)
        for one in values:
            yield f"'{name}'", [name, *(one if isinstance(one, list) else [one])]


def _check_columns(found, wanted: tuple, remedy: str) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        raise MaskError(f'{missing} missing, got {list(found)}{remedy}')
