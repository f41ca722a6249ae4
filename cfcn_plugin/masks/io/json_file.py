"""Reading a JSON file that a person may have edited."""
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cfcn_plugin.masks.base import MaskError

from .files import check_exists

NAMES = {list: 'a list', dict: 'an object'}


def read_json(file: Path,
              kind: type | tuple[type, ...],
              hook: Callable[[dict], Any] = lambda entry: entry):
    """The content of a JSON file in UTF-8, with or without a byte order mark.

    Args:
        file: The file.
        kind: What its content must be: ``list``, ``dict``, or both.
        hook: Called with each object as soon as it is read, gives what takes its place.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The file is not JSON, its content is of another kind, or an object in
            the file has a name twice.
    """

    def unique(pairs: list[tuple[str, Any]]):
        entry = dict(pairs)
        if len(entry) < len(pairs):
            twice = next(n for i, (n, _) in enumerate(pairs) if n in dict(pairs[:i]))
            raise MaskError(f"'{twice}' stands twice in one object, and "
                            'JSON would keep the last one alone: merge the two')
        return hook(entry)

    check_exists(file)
    try:
        with file.open(encoding='utf-8-sig') as stream:
            content = json.load(stream, object_pairs_hook=unique)
    except MaskError:
        raise
    # ValueError: also a number of 5000 digits
    except (OSError, ValueError, RecursionError) as error:
        raise MaskError(f'not JSON in UTF-8 ({error}): is it whole?') from error
    if not isinstance(content, kind):
        kinds = kind if isinstance(kind, tuple) else (kind, )
        raise MaskError(f'expected {" or ".join(NAMES[k] for k in kinds)}, got '
                        f'{type(content).__name__}')
    return content
