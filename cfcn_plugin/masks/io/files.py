"""Files of a folder, and lines of a text file."""
import os
from collections.abc import Iterator
from pathlib import Path

from cfcn_plugin.masks.base import MaskError


def check_exists(file: Path) -> None:
    """Raise a FileNotFoundError if there is no such annotation file."""
    if not file.is_file():
        raise FileNotFoundError(f"annotation file '{file}' does not exist: correct its "
                                'name or `data_root`')


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

    Raises:
        MaskError: The data is not UTF-8, with or without a byte order mark.
    """
    try:
        lines = data.decode('utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
        raise MaskError(f'not text in UTF-8 ({error})') from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f'line {number}', line


def walk_files(folder: str | Path, option: str) -> Iterator[str]:
    """Paths of the files below a folder, relative to it, with no stat for each file.

    ``._*`` files, which some archives bring, are left out. Links are followed, except
    a link to a folder that contains the link.

    Raises:
        FileNotFoundError: There is no such folder; the message names ``option``.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"folder of {option} '{folder}' does not exist: "
                                f'correct `{option}` or `data_root`')
    for top, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        folders[:] = [name for name in folders if not _is_loop(top, name)]
        inner = os.path.relpath(top, folder).replace(os.sep, '/')
        prefix = '' if inner == '.' else inner + '/'
        yield from (prefix + name for name in files if not name.startswith('._'))


def _is_loop(top: str, name: str) -> bool:
    path = os.path.join(top, name)
    return os.path.islink(path) and os.path.join(os.path.realpath(top), '').startswith(
        os.path.join(os.path.realpath(path), ''))


def _raise(error: OSError) -> None:
    raise error
