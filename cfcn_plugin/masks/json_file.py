"""Reading a JSON file that a person may have touched."""
import json
from pathlib import Path

from .base import MaskError


def read_json(file: Path, kind: type | tuple[type, ...]):
    """The content of a JSON file.

    Args:
        file: The file, in UTF-8, with or without a byte order mark.
        kind: What its content must be: ``list``, ``dict``, or both.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: It is not JSON, or holds something else.
    """
    if not file.is_file():
        raise FileNotFoundError(f"annotation file '{file}' does not exist: correct its "
                                'name or `data_root`')
    try:
        content = json.loads(file.read_text(encoding='utf-8-sig'))
    except (OSError, UnicodeDecodeError, RecursionError,
            json.JSONDecodeError) as error:
        raise MaskError(f"'{file}' is not JSON in UTF-8 ({error}): is it whole?") from (
            error)
    if not isinstance(content, kind):
        names = dict(list='a list', dict='an object')
        kinds = kind if isinstance(kind, tuple) else (kind, )
        raise MaskError(
            f"'{file}': expected {' or '.join(names[k.__name__] for k in kinds)}, got "
            f'{type(content).__name__}')
    return content
