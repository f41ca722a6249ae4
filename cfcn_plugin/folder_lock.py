"""A lock that gives one process exclusive use of a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PATIENCE = 60.0  # seconds for the child processes of a killed run to end


@contextmanager
def lock_folder(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Lock a folder for this process; the kernel unlocks it when the process ends.

    Args:
        folder: An existing folder.
        patience: Seconds to wait for another process.

    Raises:
        RuntimeError: Another process has locked the folder.
    """
    lock, owner = FileLock(folder / '.lock'), folder / '.owner'
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise RuntimeError(
            f"'{folder}' is in use by process {_read(owner)}: wait for this process, "
            'end it, or give another --work-dir'
        ) from None
    try:
        owner.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()


def _read(owner: Path) -> str:
    return owner.read_text() if owner.is_file() else '(unknown)'
