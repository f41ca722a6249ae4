"""Files of a folder, lines of a text file, and the content of a JSON file."""

import codecs
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cfcn_plugin.masks.errors import MaskError

NAMES: dict[type, str] = {list: 'a list', dict: 'an object'}


def check_exists(file: Path) -> None:
    """Raise a FileNotFoundError if there is no such annotation file."""
    if not file.is_file():
        raise FileNotFoundError(
            f"annotation file '{file}' does not exist: correct its name or `data_root`"
        )


def read_lines(file: Path) -> Iterator[tuple[str, str]]:
    """:func:`decode_lines` of a file.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The file cannot be read, or is not UTF-8.
    """
    check_exists(file)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise MaskError(f'cannot be read ({error})') from error
    return decode_lines(data)


def decode_lines(data: bytes) -> Iterator[tuple[str, str]]:
    """``'line N'``, N from 1, and the text of each line that is not blank.

    A line ends with LF, CR LF or CR, as in an editor. Other separators, such as U+2028
    and the form feed, may be in the name of a file.

    Raises:
        MaskError: The data is not UTF-8, with or without a byte order mark.
    """
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise encoding_error('text', error) from error
    lines = text.replace('\r\n', '\n').replace('\r', '\n').split('\n')
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f'line {number}', line


def encoding_error(kind: str, error: UnicodeDecodeError) -> MaskError:
    """The error for a file of another encoding than UTF-8, with the remedy."""
    wide = error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    come, given = (', it begins as UTF-16', 'UTF-16') if wide else ('', 'ENCODING')
    which = '' if wide else ', where ENCODING is GB18030, CP1252 or what the file has'
    return MaskError(
        f'not {kind} in UTF-8 ({error}){come}: save it as UTF-8, for '
        f'example with `iconv -f {given} -t UTF-8 OLD > NEW`{which}'
    )


def read_json(
    file: Path,
    kind: type | tuple[type, ...],
    hook: Callable[[dict], Any] = lambda entry: entry,
):
    """The content of a JSON file in UTF-8, with or without a byte order mark.

    Args:
        file: The file.
        kind: Expected type of the content: ``list``, ``dict``, or both.
        hook: Called with each object after it is read; returns its replacement.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The file is not JSON, its content is of another kind, or an object in
            the file has a name twice.
    """

    def unique(pairs: list[tuple[str, Any]]):
        entry = dict(pairs)
        if len(entry) < len(pairs):
            twice = next(n for i, (n, _) in enumerate(pairs) if n in dict(pairs[:i]))
            raise MaskError(
                f"'{twice}' occurs twice in one object, and "
                'JSON would keep only the last value: merge the two'
            )
        return hook(entry)

    check_exists(file)
    try:
        with file.open(encoding='utf-8-sig') as stream:
            content = json.load(stream, object_pairs_hook=unique)
    except MaskError:
        raise
    except UnicodeDecodeError as error:
        raise encoding_error('JSON', error) from error
    # ValueError: also a number of 5000 digits
    except (OSError, ValueError, RecursionError) as error:
        raise MaskError(f'not JSON in UTF-8 ({error}): is it whole?') from error
    if not isinstance(content, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise MaskError(
            f'expected {" or ".join(NAMES[k] for k in kinds)}, got '
            f'{type(content).__name__}'
        )
    return content


def walk_files(folder: str | Path, option: str) -> Iterator[str]:
    """Paths of the files below a folder, relative to it, with no stat for each file.

    ``._*`` files (macOS metadata) are left out. Links are followed, except a link to a
    folder that contains the link.

    Raises:
        FileNotFoundError: There is no such folder; the message names ``option``.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"folder of {option} '{folder}' does not exist: "
            f'correct `{option}` or `data_root`'
        )
    for top, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        folders[:] = [name for name in folders if not _is_loop(top, name)]
        inner = os.path.relpath(top, folder).replace(os.sep, '/')
        prefix = '' if inner == '.' else inner + '/'
        yield from (prefix + name for name in files if not name.startswith('._'))


def _is_loop(top: str, name: str) -> bool:
    path = os.path.join(top, name)
    return os.path.islink(path) and os.path.join(os.path.realpath(top), '').startswith(
        os.path.join(os.path.realpath(path), '')
    )


def _raise(error: OSError) -> None:
    raise error
