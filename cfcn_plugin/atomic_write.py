"""Writing a file so that the file is complete, or as it was before."""

import contextlib
import os
from pathlib import Path


def atomic_write(file: str | Path, content: bytes | str, sync: bool = True) -> None:
    """Write a file so that neither a kill nor a full disk leaves a part of the file.

    The content goes into a hidden file in the same folder, which then takes the file's
    name. Until then the file is as it was before.

    Args:
        file: Its folder must exist.
        content: All of the file's content; text is written as UTF-8.
        sync: Whether to wait until the content is on the disk, so that a power cut
            leaves no part of the file either. False is for many small files that can be
            made again: each wait takes milliseconds.

    Raises:
        OSError: The file cannot be written. The file is as it was before.
    """
    file = Path(file)
    content = content.encode() if isinstance(content, str) else content
    partial = partial_of(file)
    try:
        partial.unlink(missing_ok=True)  # what a kill left, or a link to another file
        with partial.open('xb') as stream:
            stream.write(content)
            if sync:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(partial, file)
        if sync:
            _sync_folder(file.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise OSError(
            error.errno,
            f'{error.strerror}; {len(content) / 2**20:.1f} MiB could not '
            'be written, and the file is as it was before',
            str(file),
        ) from error


def partial_of(file: Path) -> Path:
    """Where the content of a file is while the file is being written.

    The name does not end as the file's name ends, so that no reader takes what a kill
    leaves for a complete file.
    """
    return file.with_name(f'.{file.name}.partial')


def _sync_folder(folder: Path) -> None:
    """Put a new name of a file on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
