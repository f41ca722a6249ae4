"""Rows of a CSV or JSON file that names an image in each, as they are written."""
import csv
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from cfcn_plugin.masks.base import MaskError

from .json_file import read_json

Entry = tuple[str, Sequence]  # place in the file, values of the columns


def read_entries(file: Path, columns: tuple[str, ...], optional: tuple[str, ...] = (),
                 remedy: str = '') -> Iterator[Entry]:
    """The values that a file has for each thing it tells of an image.

    CSV: a header, then a line each. JSON: a list of objects with the same names as the
    CSV's columns, or an object ``{image: [[value, ...], ...]}``.

    Args:
        file: Ends in .csv or .json.
        columns: Their names; the image's is the first.
        optional: Columns after these that a file may lack.
        remedy: Ends the message of a file that lacks a column.

    Yields:
        Where it stands, and the values in the order of columns, as they are written:
        perhaps too few or too many, and None where a line is too short.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: It is another kind of file, or its columns are others.
    """
    if file.suffix == '.csv':
        return _csv_entries(file, columns, optional, remedy)
    if file.suffix == '.json':
        return _json_entries(file, columns, optional, remedy)
    raise MaskError(f"'{file}': expected a .csv or .json file")


def _csv_entries(file: Path, columns: tuple, optional: tuple,
                 remedy: str) -> Iterator[Entry]:
    if not file.is_file():
        raise FileNotFoundError(f"annotation file '{file}' does not exist: correct its "
                                'name or `data_root`')
    with file.open(newline='', encoding='utf-8-sig') as stream:
        # a DictReader takes three times as long
        reader = csv.reader(stream)
        try:
            header = next(reader, [])
            _check_columns(header, columns, f"'{file}', its header", remedy)
            twice = [name for name in columns if header.count(name) > 1]
            if twice:
                raise MaskError(f"'{file}', its header: {twice} stand twice, got "
                                f'{header}: which one is meant?')
            there = (*columns, *(name for name in optional if name in header))
            pick = itemgetter(*map(header.index, there))
            for row in reader:
                if len(row) != len(header):
                    if not row:
                        continue
                    if len(row) > len(header):
                        raise MaskError(
                            f"'{file}', line {reader.line_num}: {len(row)} values, and "
                            f'{len(header)} columns: put names with a comma in quotes')
                    row += [None] * (len(header) - len(row))
                yield f'line {reader.line_num}', pick(row)
        except (UnicodeDecodeError, csv.Error) as error:
            raise MaskError(f"'{file}' is not a CSV file in UTF-8 ({error})") from error


def _json_entries(file: Path, columns: tuple, optional: tuple,
                  remedy: str) -> Iterator[Entry]:
    content = read_json(file, (dict, list))
    if isinstance(content, list):
        for i, entry in enumerate(content):
            if not isinstance(entry, dict):
                raise MaskError(f"'{file}', entry {i}: expected an object with "
                                f'{list(columns)}, got {entry!r}')
            _check_columns(entry, columns, f"'{file}', entry {i}", remedy)
            there = (*columns, *(name for name in optional if name in entry))
            yield f'entry {i}', [entry[name] for name in there]
        return
    shown = f'[{", ".join((*columns[1:], *optional))}]'
    for name, values in content.items():
        if not isinstance(values, list):
            raise MaskError(f"'{file}', '{name}': expected a list of {shown}, got "
                            f'{values!r}')
        for one in values:
            if not isinstance(one, list):
                raise MaskError(f"'{file}', '{name}': expected {shown}, got {one!r}")
            yield f"'{name}'", [name, *one]


def _check_columns(found, wanted: tuple, where: str, remedy: str) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        raise MaskError(f'{where}: {missing} missing, got {list(found)}{remedy}')
