"""Reading files from a folder, or from a zip archive without unpacking."""
import os
import zipfile
from collections import Counter
from functools import lru_cache
from pathlib import Path, PurePosixPath

from cfcn_plugin.masks.base import MaskError

from .files import walk_files
from .names import join_inside

RATIO = 1000  # deflate's limit is about 1030; a mask has far less
SMALL = 2**20  # a file of so many bytes is always read


class Archive:
    """Reads files of a folder or a zip by name, one at a time.

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
            raise FileNotFoundError(f"'{path}' does not exist: expected a zip or the "
                                    'folder it was unpacked to; correct its name or '
                                    '`data_root`')
        if path.is_file():
            self._check()

    def names(self) -> list[str]:
        """Names of all files, with forward slashes."""
        if self.path.is_dir():
            return sorted(walk_files(self.path, 'masks'))
        return sorted(i.filename for i in self._open().infolist() if not i.is_dir())

    def has(self, name: str) -> bool:
        if self.path.is_dir():
            return os.path.isfile(join_inside(self.path, name))
        return name in self._open().NameToInfo

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
                file = join_inside(self.path, name)
                size = packed = file.stat().st_size
            else:
                info = self._open().getinfo(name)
                size, packed = info.file_size, info.compress_size
            if size > most or size > RATIO * max(packed, SMALL // RATIO):
                raise MaskError(f'unpacks from {packed} to {size} bytes, expected at '
                                f'most {most}: is it a zip bomb?')
            if self.path.is_dir():
                return file.read_bytes()
            return self._open().read(name)
        except MaskError:
            raise
        except Exception as error:  # decompressors raise errors of many types
            raise MaskError(f'cannot be read ({repr(error)[:200]}): is the archive '
                            'whole?') from error

    def _check(self) -> None:
        infos = self._open().infolist()
        for info in infos:
            name = info.filename
            if '..' in PurePosixPath(name).parts or name.startswith('/') or (
                    '\\' in name or ':' in name[:2]):
                raise MaskError(f"'{self.path}' has a file '{name}' with a path that "
                                'leaves the archive: do not unpack the archive, export '
                                'it again')
            if info.flag_bits & 1:
                raise MaskError(f"'{self.path}', '{name}' is encrypted: save the "
                                'archive without a password')
        twice = [n for n, count in Counter(i.filename for i in infos).items()
                 if count > 1]
        if twice:
            raise MaskError(f"'{self.path}' has the file '{twice[0]}' twice: export it "
                            'again')

    def _open(self) -> zipfile.ZipFile:
        return _open_zip(self.path, self.path.stat().st_mtime_ns, os.getpid())


@lru_cache(maxsize=8)
def _open_zip(path: Path, modified: int, process: int) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # NotImplementedError, too
        raise MaskError(f"'{path}' cannot be read as a zip archive ({error}): is it "
                        'whole?') from error
