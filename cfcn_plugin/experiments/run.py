"""Running the cells of a grid: several at once, resumable, failures kept."""
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import submitit
from rich.progress import (
    MofNCompleteColumn,
    Progress,
    TaskID,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cfcn_plugin.atomic_write import atomic_write

from .cell_run import CellRun
from .folder_lock import PATIENCE, lock_folder
from .grid import Cell, Grid
from .logs import last_epoch
from .outcome import Outcome, read_outcome, read_outcomes, write_outcome
from .prepare import cell_config, differences, identity

EXECUTORS = ('local', 'slurm', 'debug')
IDENTITY = 'identity.json'
OURS = ('outcome.json', 'metrics.json', 'output.log', 'guided.txt', 'run', 'test',
        'job')
FOREVER = 1e9  # seconds over which the speed is taken: a cell may take hours
# minutes after which an executor ends a run, where the options do not say
TIMEOUT_MIN = {'local': 10 * 365 * 24 * 60, 'slurm': 24 * 60, 'debug': 1}
THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


def run_grid(grid: Grid,
             work_dir: Path,
             tools: Path,
             jobs: int | None = 1,
             threads: int | None = None,
             gpus: Sequence[str] = (),
             resume: bool = False,
             retry: bool = False,
             executor: str = 'local',
             options: dict | None = None) -> list[Outcome]:
    """Train and test each cell that is not finished.

    A cell is finished when its ``outcome.json`` is there. A half-run one starts anew,
    so that a run is what its seed says: random states are in no checkpoint.

    Args:
        grid: The grid.
        work_dir: Cells have their folders below.
        tools: The folder of ``train.py`` and ``test.py``.
        jobs: Runs at once, or in a cluster's queue at once. None: all.
        threads: CPU threads of a run. None: the cores of this machine divided by the
            jobs; on a cluster, the option ``cpus_per_task``, or 1.
        gpus: CUDA devices, to which the jobs are dealt out. (): as the environment
            says. On a cluster the queue deals them out.
        resume: Half-run cells go on from their last checkpoint instead.
        retry: Failed cells are run again, anew or, with ``resume``, from there.
        executor: submitit's: ``'local'``, processes of this machine; ``'slurm'``, a
            cluster's queue; ``'debug'``, one cell after the other in this process.
        options: Parameters of ``submitit.AutoExecutor``, such as ``timeout_min``,
            ``gpus_per_node``, ``mem_gb`` or ``slurm_partition``.

    Raises:
        ValueError: A cell's folder has another experiment, or a config cannot be
            prepared; nothing has run.
        RuntimeError: The work dir is in use.
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f'`jobs` must be at least 1, got {jobs}')
    if executor not in EXECUTORS:
        raise ValueError(f'`executor` must be one of {EXECUTORS}, got {executor!r}')
    if gpus and executor == 'slurm':
        raise ValueError(f'`gpus` {list(gpus)} are devices of this machine: ask the '
                         'queue for some by the option gpus_per_node=1')
    most = 1 if executor == 'debug' else len(grid.cells)
    submitter = _Submitter(tools, executor, options or {}, threads, jobs or most)
    slots = [gpus[i % len(gpus)] if gpus else None for i in range(submitter.jobs)]
    work_dir.mkdir(parents=True, exist_ok=True)
    with lock_folder(work_dir):
        known = read_outcomes(grid, work_dir)
        todo = [o for o in known if o.status == 'pending'
                or (retry and o.status == 'failed')]
        queued = {o.cell.name: job for o in todo if (job := submitter.find_queued(o))}
        anew = [o for o in todo
                if not (resume and o.is_begun) and o.cell.name not in queued]
        _check_kept([o for o in known if o not in anew])
        for outcome in anew:
            _prepare(outcome)
        _run(todo, queued, slots, submitter, work_dir, len(known))
    return read_outcomes(grid, work_dir)


@dataclass(frozen=True)
class _Submitter:
    """Gives cells to an executor; see :func:`run_grid`."""
    tools: Path
    executor: str
    options: dict
    threads: int | None
    jobs: int

    def submit(self, outcome: Outcome, gpu: str | None) -> submitit.Job:
        folder = outcome.folder / 'job'
        shutil.rmtree(folder, ignore_errors=True)
        executor = submitit.AutoExecutor(folder, cluster=self.executor)
        defaults = dict(name=outcome.cell.name.replace('/', '_'), stderr_to_stdout=True,
                        timeout_min=TIMEOUT_MIN[self.executor])
        if self.threads:
            defaults['cpus_per_task'] = self.threads
        executor.update_parameters(**{**defaults, **self.options})
        return executor.submit(CellRun(
            outcome, self.tools, self._environment(gpu),
            parent=os.getpid() if self.executor == 'local' else None))

    def find_queued(self, outcome: Outcome) -> submitit.Job | None:
        """The job of a command that was killed, which a cluster's queue still has."""
        ending = '_submitted.pkl'
        files = (outcome.folder / 'job').glob(f'*{ending}')
        for file in files if self.executor == 'slurm' else ():
            job = submitit.SlurmJob(file.parent, file.name.removesuffix(ending))
            if not job.done(force_check=True):
                return job
        return None

    def _environment(self, gpu: str | None) -> dict[str, str | None]:
        if self.executor == 'slurm':
            threads = self.threads or self.options.get('cpus_per_task', 1)
            return dict.fromkeys(THREADS, str(threads))
        threads = self.threads or max(1, (os.cpu_count() or 1) // self.jobs)
        # submitit's local executor hides all devices that it does not number itself
        devices = os.environ.get('CUDA_VISIBLE_DEVICES') if gpu is None else gpu
        return {**dict.fromkeys(THREADS, str(threads)), 'CUDA_VISIBLE_DEVICES': devices}


@dataclass(frozen=True)
class _Running:
    cell: Cell
    job: submitit.Job
    gpu: str | None
    bar: TaskID


def _run(todo: list[Outcome], queued: dict[str, submitit.Job], slots: list,
         submitter: _Submitter, work_dir: Path, total: int) -> None:
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(),
               TimeElapsedColumn(), TimeRemainingColumn())
    todo, running = list(todo), []
    with Progress(*columns, speed_estimate_period=FOREVER) as progress:
        bar = progress.add_task('cells', total=total, completed=total - len(todo))
        try:
            while todo or running:
                while todo and slots:
                    outcome, gpu = todo.pop(0), slots.pop(0)
                    name = outcome.cell.name
                    job = queued.get(name) or submitter.submit(outcome, gpu)
                    settings = json.loads((outcome.folder / IDENTITY).read_text())
                    running.append(_Running(outcome.cell, job, gpu, progress.add_task(
                        f'  {name}', total=settings.get('train_cfg.max_epochs'))))
                for run in list(running):
                    progress.update(run.bar, completed=last_epoch(
                        work_dir / run.cell.name / 'run'))
                    if run.job.done():
                        running.remove(run)
                        slots.append(run.gpu)
                        progress.remove_task(run.bar)
                        progress.advance(bar)
                        text, style = _finish(run, work_dir)
                        progress.console.print(text, markup=False, style=style)
                time.sleep(0.1)
        finally:
            for run in running:
                run.job.cancel(check=False)


def _finish(run: _Running, work_dir: Path) -> tuple[str, str]:
    """What to print of a run that has ended, and the style."""
    outcome = read_outcome(run.cell, work_dir)
    # without an outcome: asked to stop, or ended by the executor
    if outcome.status == 'pending' and (error := run.job.exception()) is not None:
        write_outcome(outcome.folder, None, str(error), 0.)
        outcome = read_outcome(run.cell, work_dir)
    if outcome.status == 'pending':
        text = 'asked to stop, and not finished; run the same command again'
    else:
        text = f'{outcome.status} after {outcome.seconds:.0f} s'
    return f'{run.cell.name}: {text}', 'red' if outcome.status == 'failed' else ''


def _prepare(outcome: Outcome) -> None:
    """An empty folder but for the run's settings."""
    folder = outcome.folder
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, PATIENCE):  # a killed run may be ending
        for name in OURS:  # what else is there is not ours
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        cell_config(outcome.cell, folder).dump(folder / 'config.py')
        atomic_write(folder / IDENTITY, json.dumps(identity(outcome.cell), indent=1))


def _check_kept(kept: list[Outcome]) -> None:
    """Check that the configs of runs have not changed since."""
    for outcome in kept:
        before = json.loads((outcome.folder / IDENTITY).read_text())
        now = identity(outcome.cell)
        if before != now:
            raise ValueError(
                f"'{outcome.folder}' has a run of other settings than the grid's now: "
                f'{differences(before, now)}. Undo the change, delete the folder, or '
                'give another --work-dir')
