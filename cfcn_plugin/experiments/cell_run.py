"""The training and test of one cell: what is submitted to an executor."""
import contextlib
import ctypes
import json
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

from cfcn_plugin.atomic_write import atomic_write

from .folder_lock import PATIENCE, lock_folder

PR_SET_PDEATHSIG = 1
PREEMPTED = getattr(signal, f'SIG{JobEnvironment.USR_SIG}')  # submitit's own signal
STOPPED = 75  # exit code of a training that was asked to stop and saved a checkpoint
TAIL = 25  # lines of a failed run's log that are kept


@dataclass
class CellRun:
    """Train and test a cell with ``tools/train.py`` and ``tools/test.py``.

    Each is a process of its own, whose output is appended to ``output.log``. At the
    end ``outcome.json`` is written.

    Attributes:
        folder: The folder of the cell, which has ``config.py``.
        tools: The folder of ``train.py`` and ``test.py``.
        environment: {variable: value} of both processes; None removes the variable.
        parent: Id of the process whose end, also by SIGKILL, ends the run (on Linux):
            submitit's local jobs outlive the process that submitted them, and two runs
            in one folder would spoil each other. None: nothing ends it.
    """
    folder: Path
    tools: Path
    environment: dict[str, str | None]
    parent: int | None
    process: Popen | None = field(default=None, init=False)

    def __call__(self) -> None:
        """Run both; a training that was asked to stop leaves no outcome."""
        begin = time.monotonic()
        metrics, error = None, ''
        with lock_folder(self.folder, PATIENCE):
            try:
                code = self._train() or self._test()
                if code == STOPPED:
                    if os.environ.get('SUBMITIT_EXECUTOR') == 'slurm':
                        # as if the queue had told this process to stop
                        signal.raise_signal(PREEMPTED)
                    return
                if code:
                    error = _reason(code)
                else:
                    metrics = json.loads((self.folder / 'metrics.json').read_text())
            except FileNotFoundError as missing:
                error = f'it left no {missing.filename}'
            write_outcome(self.folder, metrics, error, time.monotonic() - begin)

    def checkpoint(self) -> DelayedSubmission:
        """What submitit puts into the queue again when the queue stops the job.

        The training saves a checkpoint first, from which it goes on.
        """
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            # without reaping, which is left to the `wait` that the signal interrupted
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        return DelayedSubmission(replace(self))

    def _train(self) -> int:
        run = self.folder / 'run'
        resume = ['--resume'] if (run / 'last_checkpoint').is_file() else []
        return self._run('train.py', self.folder / 'config.py', '--work-dir', run,
                         *resume)

    def _test(self) -> int:
        return self._run(
            'test.py', config_of(self.folder), checkpoint_of(self.folder),
            '--work-dir', self.folder / 'test',
            '--out', self.folder / 'metrics.json', '--out-item', 'metrics')

    def _run(self, tool: str, *arguments) -> int:
        """The exit code of a tool."""
        given = {**os.environ, **self.environment}
        with (self.folder / 'output.log').open('a') as log:
            self.process = Popen(
                [sys.executable, self.tools / tool, *arguments], stdout=log,
                stderr=STDOUT, stdin=DEVNULL,
                env={k: v for k, v in given.items() if v is not None},
                start_new_session=True, preexec_fn=_prepare_child)
        try:
            self._wait_for_either()
            return self.process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # with its data workers
            raise

    def _wait_for_either(self) -> None:
        """Return when the process ends, and exit when the parent ends before."""
        if self.parent is None or not hasattr(os, 'pidfd_open'):
            return
        ends = [os.pidfd_open(pid) for pid in (self.process.pid, self.parent)]
        try:
            if ends[0] not in select.select(ends, [], [])[0]:
                sys.exit(f'process {self.parent} has ended')
        finally:
            for end in ends:
                os.close(end)


def config_of(folder: Path) -> Path:
    """The config of a cell that was run, with what was left open filled in."""
    dumped = folder / 'run' / 'config.py'
    return dumped if dumped.is_file() else folder / 'config.py'


def checkpoint_of(folder: Path) -> Path:
    """The last checkpoint of a cell; by its name, since the folder may have moved."""
    run = folder / 'run'
    return run / Path((run / 'last_checkpoint').read_text().strip()).name


def write_outcome(folder: Path, metrics: dict | None, error: str,
                  seconds: float) -> None:
    """Write ``outcome.json``, with the end of the log below an error."""
    if error:
        log = folder / 'output.log'
        lines = log.read_text(encoding='utf-8', errors='replace').splitlines() \
            if log.is_file() else []
        error = '\n'.join([f'{error}; the end of {log}:', *lines[-TAIL:]])
    outcome = dict(status='failed' if error else 'done', metrics=metrics,
                   seconds=seconds, error=error)
    atomic_write(folder / 'outcome.json', json.dumps(outcome, indent=1))


def _prepare_child() -> None:
    """Let the process end with its parent, and leave submitit's signal to the parent.

    A cluster's queue sends the signal to all processes of a job.
    """
    signal.signal(PREEMPTED, signal.SIG_IGN)
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _reason(code: int) -> str:
    if code >= 0:
        return f'exit code {code}'
    maybe = ', maybe for its memory' if code == -signal.SIGKILL else ''
    return f'killed by signal {-code}{maybe}'
