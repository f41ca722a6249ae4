"""Child processes that end with their parent, and one parent to a folder."""
import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
PATIENCE = 20.  # seconds in which what a killed start has left behind ends
THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


def start(command: list, log: Path, threads: int, gpu: str | None,
          lock: int) -> subprocess.Popen:
    """Start a command in a session of its own, its output appended to a file.

    On Linux the kernel kills it when this process ends, however it ends: two runs in
    one folder would spoil each other. It holds the folder's lock until then.

    Args:
        command: Program and arguments.
        log: The file.
        threads: CPU threads that it may use.
        gpu: What CUDA_VISIBLE_DEVICES says to it; None: as here.
        lock: File descriptor of :func:`locked`.
    """
    env = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    if gpu is not None:
        env['CUDA_VISIBLE_DEVICES'] = gpu
    with log.open('a') as stream:
        return subprocess.Popen(
            list(map(str, command)), stdout=stream, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, env=env, start_new_session=True,
            pass_fds=[lock],
            preexec_fn=_die_with_parent if sys.platform == 'linux' else None)


def stop(process: subprocess.Popen) -> None:
    """End a started command and the data workers of its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold a folder for this process and its children alone.

    Raises:
        RuntimeError: Another process holds it.
    """
    file = folder / '.lock'
    lock = os.open(file, os.O_RDWR | os.O_CREAT)
    try:
        _wait_for(lock, file)
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield lock
    finally:
        os.close(lock)


def _wait_for(lock: int, file: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise RuntimeError(
                    f"'{file.parent}' is in use by process {file.read_text()}, or by "
                    'runs that it left behind: wait for it, end it, or give another '
                    '--work-dir') from None
            time.sleep(0.2)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
