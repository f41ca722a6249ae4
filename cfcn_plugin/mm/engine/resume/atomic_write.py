"""Files that are there whole, or not at all."""
import contextlib
import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend


def write_whole(file: str | Path, content: bytes) -> None:
    """Write a file so that no kill and no full disk leaves a part of it.

    The content goes to a hidden file beside it and onto the disk, then takes the
    file's name; what had the name before is there until then.

    Args:
        file: Its folder must exist.
        content: All of it.

    Raises:
        OSError: It could not be written; what was there before is as it was.
    """
    file = Path(file)
    partial = partial_of(file)
    try:
        with partial.open('wb') as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, file)
        _sync_folder(file.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise OSError(
            error.errno, f'{error.strerror}; {len(content) / 2**20:.1f} MiB could not '
            'be written. Files that were there before are whole; make room, or the '
            'folder writable, and go on with `--resume`', str(file)) from error


def partial_of(file: Path) -> Path:
    """Where a file is while it is being written."""
    return file.with_name(f'.{file.name}.partial')


def _sync_folder(folder: Path) -> None:
    """Put a rename on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class WholeFileBackend(LocalBackend):
    """mmengine's backend for local files, by :func:`write_whole`.

    ``backend_args=dict(backend='whole')`` asks for it.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_whole(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


register_backend('whole', WholeFileBackend, force=True)
