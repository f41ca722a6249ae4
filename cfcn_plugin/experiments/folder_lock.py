"""One process to a folder."""
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PATIENCE = 60.  # seconds in which what a killed run has left behind ends


@contextmanager
def lock_folder(folder: Path, patience: float = 0.) -> Iterator[None]:
    """Hold a folder for this process alone; the kernel frees it when the process ends.

    Args:
        folder: It exists.
        patience: Seconds to wait for another process.

    Raises:
        RuntimeError: Another process holds it.
    """
    lock, owner = FileLock(folder / '.lock'), folder / '.owner'
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise RuntimeError(
            f"'{folder}' is in use by process {_read(owner)}: wait for it, end it, or "
            'give another --work-dir') from None
    try:
        owner.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()


def _read(owner: Path) -> str:
    return owner.read_text() if owner.is_file() else '(unknown)'
