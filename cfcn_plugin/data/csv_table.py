"""Reading a table that a stranger wrote."""
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reading_table(file: Path) -> Iterator[csv.DictReader]:
    """Read a CSV file by its header's names.

    Raises:
        ValueError: It is no CSV file in UTF-8.
    """
    with file.open(newline='', encoding='utf-8-sig') as stream:
        try:
            yield csv.DictReader(stream)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(
                f"'{file}' is not a CSV file in UTF-8 ({error})") from error
