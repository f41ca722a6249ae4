"""The job of one cell: its training and test, as submitted to an executor."""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen

from submitit import JobEnvironment
from submitit.helpers import DelayedSubmission

from cfcn_plugin.folder_lock import PATIENCE, lock_folder
from cfcn_plugin.state_file import read_state

from .outcome import Outcome, write_outcome

PR_SET_PDEATHSIG = 1
PREEMPTED = getattr(signal, f'SIG{JobEnvironment.USR_SIG}')  # submitit's own signal
STOPPED = 75  # exit code of a training that saved a checkpoint after a stop signal


@dataclass
class CellRun:
    """Train and test a cell with ``tools/train.py`` and ``tools/test.py``.

    Each tool runs in its own process and appends its output to ``output.log``. At the
    end ``outcome.json`` is written.

    Attributes:
        outcome: The cell's state; its folder has ``config.py``.
        tools: The folder of ``train.py`` and ``test.py``.
        environment: {variable: value} of both processes; None removes the variable.
        parent: Id of a process. When this process ends, also by SIGKILL, the run ends
            (on Linux). Otherwise submitit's local jobs would outlive their submitter,
            and two runs could use the same folder. None: no such process.
    """

    outcome: Outcome
    tools: Path
    environment: dict[str, str | None]
    parent: int | None
    process: Popen | None = field(default=None, init=False)

    def __call__(self) -> None:
        """Run training and test; a stopped training writes no outcome."""
        begin = time.monotonic()
        metrics, error = None, ''
        folder = self.outcome.folder
        with lock_folder(folder, PATIENCE):
            try:
                code = self._train() or self._test()
                if code == STOPPED:
                    if os.environ.get('SUBMITIT_EXECUTOR') == 'slurm':
                        # the same as a stop signal from the queue
                        signal.raise_signal(PREEMPTED)
                    return
                if code:
                    error = _reason(code)
                else:
                    metrics = read_state(
                        folder / 'metrics.json', 'Run the cell again by --retry'
                    )
            except FileNotFoundError as missing:
                error = f'the file {missing.filename} is missing'
            except ValueError as unreadable:
                error = str(unreadable)
            write_outcome(folder, metrics, error, time.monotonic() - begin)

    def checkpoint(self) -> DelayedSubmission:
        """The submission that submitit requeues when the queue stops the job.

        Before, the training saves a checkpoint, from which the next job continues.
        """
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            # do not reap the process: the interrupted `wait` does
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        return DelayedSubmission(replace(self))

    def _train(self) -> int:
        folder = self.outcome.folder
        resume = ['--resume'] if self.outcome.is_resumable else []
        return self._run(
            'train.py', folder / 'config.py', '--work-dir', folder / 'run', *resume
        )

    def _test(self) -> int:
        folder = self.outcome.folder
        return self._run(
            'test.py',
            self.outcome.config,
            self.outcome.checkpoint,
            '--work-dir',
            folder / 'test',
            '--out',
            folder / 'metrics.json',
            '--out-item',
            'metrics',
        )

    def _run(self, tool: str, *arguments) -> int:
        """The exit code of a tool."""
        given = {**os.environ, **self.environment}
        with (self.outcome.folder / 'output.log').open('a') as log:
            self.process = Popen(
                [sys.executable, self.tools / tool, *arguments],
                stdout=log,
                stderr=STDOUT,
                stdin=DEVNULL,
                env={k: v for k, v in given.items() if v is not None},
                start_new_session=True,
                preexec_fn=_prepare_child,
            )
        try:
            self._wait_for_either()
            return self.process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # with its data workers
            raise

    def _wait_for_either(self) -> None:
        """Return when the process ends; exit if the parent ends first."""
        if self.parent is None or not hasattr(os, 'pidfd_open'):
            return
        ends = [os.pidfd_open(pid) for pid in (self.process.pid, self.parent)]
        try:
            if ends[0] not in select.select(ends, [], [])[0]:
                sys.exit(f'process {self.parent} has ended')
        finally:
            for end in ends:
                os.close(end)


def _prepare_child() -> None:
    """Make the process end with its parent, and ignore submitit's signal.

    A cluster's queue sends the signal to all processes of a job; the parent handles it.
    """
    signal.signal(PREEMPTED, signal.SIG_IGN)
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _reason(code: int) -> str:
    if code >= 0:
        return f'exit code {code}'
    maybe = ', maybe out of memory' if code == -signal.SIGKILL else ''
    return f'killed by signal {-code}{maybe}'
