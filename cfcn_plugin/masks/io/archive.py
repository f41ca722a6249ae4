"""Reading files from a folder, or from a zip archive without unpacking."""

import os
import zipfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath

from cfcn_plugin.masks.errors import MaskError

from .files import walk_files
from .names import find_inside
from .stored_names import normal_name

RATIO = 1000  # deflate's limit is about 1030; a mask has far less
SMALL = 2**20  # a file of so many bytes is always read
UTF_8 = 0x800  # the flag of names in UTF-8; Python reads other names as CP437


class Archive:
    """Reads files of a folder or a zip by name, one at a time.

    A name in the zip may have backslashes (packed on Windows) or any normal form.

    Each process opens a zip and reads its index once: a file handle that processes
    share has one common position.

    Args:
        path: The folder or zip.

    Raises:
        FileNotFoundError: ``path`` does not exist.
        MaskError: The file is no zip, is encrypted, has a name twice, or has a name
            outside the archive's folder.
    """

    def __init__(self, path: Path):
        self.path = path
        if not path.is_dir() and not path.is_file():
            raise FileNotFoundError(
                f"'{path}' does not exist: expected a zip or the folder it was "
                'unpacked to; correct its name or `data_root`'
            )
        if path.is_file():
            self._check()

    def names(self) -> list[str]:
        """Names of all files, with forward slashes."""
        if self.path.is_dir():
            return sorted(walk_files(self.path, 'masks'))
        return sorted(self._open()[1])

    def has(self, name: str) -> bool:
        if self.path.is_dir():
            return find_inside(self.path, name) is not None
        return normal_name(name) in self._open()[1]

    def read(self, name: str, most: int = SMALL) -> bytes:
        """A file's bytes.

        Args:
            name: One of :meth:`names`.
            most: Largest size in bytes; ``SMALL`` is always allowed.

        Raises:
            MaskError: The file is larger, unpacks to more than ``RATIO`` times its
                packed size, or is damaged.
        """
        most = max(most, SMALL)
        try:
            if self.path.is_dir():
                file = find_inside(self.path, name) or self.path / name
                size = packed = file.stat().st_size
            else:
                opened, infos = self._open()
                info = infos[normal_name(name)]
                size, packed = info.file_size, info.compress_size
            if size > most or size > RATIO * max(packed, SMALL // RATIO):
                raise MaskError(
                    f'unpacks from {packed} to {size} bytes, expected at '
                    f'most {most}: is it a zip bomb?'
                )
            if self.path.is_dir():
                return file.read_bytes()
            return opened.read(info)
        except MaskError:
            raise
        except Exception as error:  # decompressors raise errors of many types
            raise MaskError(
                f'cannot be read ({repr(error)[:200]}): is the archive whole?'
            ) from error

    def _check(self) -> None:
        opened, files = self._open()
        infos = opened.infolist()
        for info in infos:
            name, path = info.filename, _member_name(info)
            if '..' in path.split('/') or path.startswith('/') or ':' in path[:2]:
                raise MaskError(
                    f"'{self.path}' has a file '{name}' with a path that leaves the "
                    'archive: do not unpack the archive, export it again'
                )
            if info.flag_bits & 1:
                raise MaskError(
                    f"'{self.path}', '{name}' is encrypted: save the "
                    'archive without a password'
                )
            if files.get(path, info) is not info:
                raise MaskError(
                    f"'{self.path}' has the file '{path}' twice, as {name!r} and "
                    f'{files[path].filename!r}: export it again'
                )

    def _open(self) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
        return _open_zip(self.path, self.path.stat().st_mtime_ns, os.getpid())


@lru_cache(maxsize=8)
def _open_zip(path: Path, modified: int, process: int) -> tuple:
    """The zip, and its files by their names."""
    try:
        opened = zipfile.ZipFile(path)
        names = ((_member_name(info), info) for info in opened.infolist())
        return opened, {name: info for name, info in names if not name.endswith('/')}
    except Exception as error:  # NotImplementedError, too
        raise MaskError(
            f"'{path}' cannot be read as a zip archive ({error}): is it whole?"
        ) from error


def _member_name(info: zipfile.ZipInfo) -> str:
    """The normal name of a file in a zip; a folder's ends with a slash."""
    name = info.filename
    if not name.isascii() and not info.flag_bits & UTF_8:
        with suppress(UnicodeError):  # macOS writes UTF-8 and does not say so
            name = name.encode('cp437').decode()
    name = normal_name(name)
    return PurePosixPath(name).as_posix() + ('/' if name.endswith('/') else '')
