"""Running the cells of a grid: several at once, resumable, failures kept."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import (
    MofNCompleteColumn,
    Progress,
    TaskID,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from .grid import Cell, Grid
from .logs import last_epoch
from .prepare import cell_config, differences, identity
from .processes import locked, start, stop

TAIL = 25  # lines of a failed run's log that are kept
OURS = ('outcome.json', 'metrics.json', 'output.log', 'guided.txt', 'run', 'test')
FOREVER = 1e9  # seconds over which the speed is taken: a cell may take hours


@dataclass(frozen=True)
class Outcome:
    """What is known of a cell.

    Attributes:
        cell: It.
        folder: Where its files are: ``config.py``, ``run`` (the work dir of training
            and test), ``output.log``, and ``outcome.json``, written last.
        status: ``'done'``, ``'failed'`` or ``'pending'``.
        metrics: Of the test split, if done.
        seconds: It took.
        error: Exit code and the end of the log, if failed.
    """
    cell: Cell
    folder: Path
    status: str = 'pending'
    metrics: dict[str, float] | None = None
    seconds: float = 0.
    error: str = ''

    @property
    def config(self) -> Path:
        """The config that was run, with what was left open filled in."""
        dumped = self.folder / 'run' / 'config.py'
        return dumped if dumped.is_file() else self.folder / 'config.py'

    @property
    def is_begun(self) -> bool:
        """Whether it can go on from a checkpoint."""
        return self.status != 'done' and (
            self.folder / 'run' / 'last_checkpoint').is_file()

    @property
    def checkpoint(self) -> Path:
        """The last one; by its name, for the folder may have moved."""
        run = self.folder / 'run'
        return run / Path((run / 'last_checkpoint').read_text().strip()).name


def outcomes(grid: Grid, work_dir: Path) -> list[Outcome]:
    """What is known of each cell, from its files."""
    return [_read(cell, work_dir) for cell in grid.cells]


def run_grid(grid: Grid,
             work_dir: Path,
             tools: Path,
             jobs: int = 1,
             threads: int | None = None,
             gpus: Sequence[str] = (),
             resume: bool = False,
             retry: bool = False) -> list[Outcome]:
    """Train and test each cell that is not finished.

    A cell is finished when its ``outcome.json`` is there. A half-run one starts anew,
    so that a run is what its seed says: random states are in no checkpoint.

    Args:
        grid: The grid.
        work_dir: Cells have their folders below.
        tools: The folder of ``train.py`` and ``test.py``.
        jobs: Runs at once.
        threads: CPU threads of a run. None: a share of the cores.
        gpus: CUDA devices, to which the jobs are dealt out. (): as the environment
            says.
        resume: Half-run cells go on from their last checkpoint instead.
        retry: Failed cells are run again, anew or, with ``resume``, from there.

    Raises:
        ValueError: A cell's folder has another experiment, or a config cannot be
            prepared; nothing has run.
        RuntimeError: The work dir is in use.
    """
    if jobs < 1:
        raise ValueError(f'`jobs` must be at least 1, got {jobs}')
    threads = threads or max(1, (os.cpu_count() or 1) // jobs)
    work_dir.mkdir(parents=True, exist_ok=True)
    with locked(work_dir) as lock:
        known = outcomes(grid, work_dir)
        todo = [o for o in known if o.status == 'pending'
                or (retry and o.status == 'failed')]
        anew = [o for o in todo if not (resume and o.is_begun)]
        _check_kept([o for o in known if o not in anew])
        for outcome in anew:
            _prepare(outcome)
        slots = [gpus[i % len(gpus)] if gpus else None for i in range(jobs)]
        _run(todo, slots, tools, threads, lock, len(known))
    return outcomes(grid, work_dir)


def _run(todo: list[Outcome], slots: list, tools: Path, threads: int, lock: int,
         total: int) -> None:
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(),
               TimeElapsedColumn(), TimeRemainingColumn())
    todo, running = list(todo), []
    with Progress(*columns, speed_estimate_period=FOREVER) as progress:
        bar = progress.add_task('cells', total=total, completed=total - len(todo))
        try:
            while todo or running:
                while todo and slots:
                    run = _Run(todo.pop(0), tools, threads, slots.pop(0), lock)
                    running.append(run)
                    run.show(progress)
                for run in list(running):
                    outcome = run.poll()
                    run.progress()
                    if outcome is None:
                        continue
                    running.remove(run)
                    slots.append(run.gpu)
                    run.hide()
                    progress.advance(bar)
                    progress.console.print(
                        f'{outcome.cell.name}: {outcome.status} after '
                        f'{outcome.seconds:.0f} s', style='red'
                        if outcome.status == 'failed' else '', markup=False)
                time.sleep(0.1)
        finally:
            for run in running:
                stop(run.process)


class _Run:
    """A cell that is being run: training, then the test."""

    def __init__(self, outcome: Outcome, tools: Path, threads: int, gpu: str | None,
                 lock: int):
        self.outcome = outcome
        self.gpu = gpu
        self._tools, self._threads, self._lock = tools, threads, lock
        self._begin = time.monotonic()
        self._work_dir = outcome.folder / 'run'
        self._metrics = outcome.folder / 'metrics.json'
        self._stages = [self._train, self._test]
        self.process = self._start(self._stages.pop(0)())

    def poll(self) -> Outcome | None:
        """What has come of it, once something has; that is on disk then."""
        code = self.process.poll()
        if code is None:
            return None
        try:
            if code == 0 and self._stages:
                self.process = self._start(self._stages.pop(0)())
                return None
            metrics = json.loads(self._metrics.read_text()) if code == 0 else None
            error = '' if code == 0 else self._error(_reason(code))
        except FileNotFoundError as missing:  # a run that left no checkpoint
            metrics, error = None, self._error(f'it left no {missing.filename}')
        done = replace(
            self.outcome, status='failed' if error else 'done', metrics=metrics,
            error=error, seconds=time.monotonic() - self._begin)
        _write(done)
        return done

    def _train(self) -> list:
        resume = ['--resume'] if (self._work_dir / 'last_checkpoint').is_file() else []
        return [self._tools / 'train.py', self.outcome.folder / 'config.py',
                '--work-dir', self._work_dir, *resume]

    def _test(self) -> list:
        return [self._tools / 'test.py', self.outcome.config, self.outcome.checkpoint,
                '--work-dir', self.outcome.folder / 'test', '--out', self._metrics,
                '--out-item', 'metrics']

    def _start(self, command: list) -> subprocess.Popen:
        return start([sys.executable, *command], self.outcome.folder / 'output.log',
                     self._threads, self.gpu, self._lock)

    def _error(self, why: str) -> str:
        log = self.outcome.folder / 'output.log'
        lines = log.read_text(encoding='utf-8', errors='replace').splitlines()
        return '\n'.join([f'{why}; the end of {log}:', *lines[-TAIL:]])

    # ---- what a person sees -----------------------------------------------------

    def show(self, progress: Progress) -> None:
        self._progress = progress
        epochs = self._epochs()
        self._line: TaskID = progress.add_task(
            f'  {self.outcome.cell.name}', total=epochs)

    def progress(self) -> None:
        self._progress.update(self._line, completed=last_epoch(self._work_dir))

    def hide(self) -> None:
        self._progress.remove_task(self._line)

    def _epochs(self) -> int | None:
        settings = json.loads((self.outcome.folder / 'identity.json').read_text())
        return settings.get('train_cfg.max_epochs')


def _reason(code: int) -> str:
    if code >= 0:
        return f'exit code {code}'
    maybe = ', maybe for its memory' if code == -signal.SIGKILL else ''
    return f'killed by signal {-code}{maybe}'


def _prepare(outcome: Outcome) -> None:
    """An empty folder but for the run's settings."""
    folder = outcome.folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in OURS:  # what else is there is not ours
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    cell_config(outcome.cell, folder).dump(folder / 'config.py')
    _dump(folder / 'identity.json', identity(outcome.cell))


def _check_kept(kept: list[Outcome]) -> None:
    """A folder's name does not tell all: a config may have changed since."""
    for outcome in kept:
        file = outcome.folder / 'identity.json'
        before, now = json.loads(file.read_text()), identity(outcome.cell)
        if before != now:
            raise ValueError(
                f"'{outcome.folder}' has a run of other settings than the grid's now: "
                f'{differences(before, now)}. Undo the change, delete the folder, or '
                'give another --work-dir')


def _read(cell: Cell, work_dir: Path) -> Outcome:
    folder = work_dir / cell.name
    file = folder / 'outcome.json'
    if not file.is_file():
        return Outcome(cell, folder)
    return Outcome(cell, folder, **json.loads(file.read_text()))


def _write(outcome: Outcome) -> None:
    _dump(outcome.folder / 'outcome.json', dict(
        status=outcome.status, metrics=outcome.metrics, seconds=outcome.seconds,
        error=outcome.error))


def _dump(file: Path, content: dict) -> None:
    """Whole or not at all: a kill may come at any time."""
    partial = file.with_suffix('.partial')
    partial.write_text(json.dumps(content, indent=1))
    os.replace(partial, file)
