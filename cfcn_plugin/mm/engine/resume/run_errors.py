"""Errors of a run, with the cause and what to do."""

import contextlib
import errno
import multiprocessing
import traceback
from collections.abc import Iterator
from pathlib import Path

from torch.utils.data import dataloader

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_RIGHT = (errno.EROFS, errno.EACCES)


@contextlib.contextmanager
def write_errors(work_dir: str) -> Iterator[None]:
    """Add cause and remedy to errors of writing into the work dir."""
    try:
        yield
    except OSError as error:
        in_work_dir = str(error.filename).startswith(str(Path(work_dir).absolute()))
        if error.errno not in NO_ROOM and not (error.errno in NO_RIGHT and in_work_dir):
            raise
        raise OSError(
            error.errno,
            f"{error.strerror}: the run cannot write into '{work_dir}'. "
            'Existing checkpoints are complete: free disk space, or make the folder '
            'writable, and use `--resume`; or give another folder with `--work-dir`',
            error.filename,
        ) from error


@contextlib.contextmanager
def worker_errors() -> Iterator[None]:
    """Add cause and remedy to the error of a dead data worker."""
    try:
        yield
    except Exception as error:
        try:
            dead = _of_dead_worker(error)
        except RuntimeError as late:  # torch may raise its error during shutdown
            dead = _of_dead_worker(late)
        if dead is None:
            raise
        raise RuntimeError(
            f'a data worker died: {str(dead).rstrip(". ")}. The usual cause of a kill '
            'is too little memory: reduce train_dataloader.num_workers (0: no worker) '
            'or the image size. The cause of a bus error is too little shared memory '
            '(/dev/shm). Continue with `--resume`'
        ) from error


def _of_dead_worker(error: BaseException | None) -> BaseException | None:
    """Find the error of a dead data worker among an error and its causes.

    torch raises this error at any point of the main process. Code that catches the
    error may have raised another error from it.
    """
    while error is not None:
        if isinstance(error, RuntimeError) and 'DataLoader worker (pid' in str(error):
            return error
        if isinstance(error, ConnectionError | EOFError):
            # the worker died while it transferred a batch
            files = [
                frame.f_code.co_filename
                for frame, _ in traceback.walk_tb(error.__traceback__)
            ]
            if dataloader.__file__ in files and (
                Path(files[-1]).parent == Path(multiprocessing.__file__).parent
            ):
                return error
        error = error.__cause__ or error.__context__
    return None
