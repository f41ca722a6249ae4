"""Running the cells of a grid: in parallel, resumable, with a record of failures."""

import json
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
from cfcn_plugin.folder_lock import PATIENCE, lock_folder
from cfcn_plugin.options import check_choice, check_whole
from cfcn_plugin.state_file import read_state

from .grid import Cell, Grid
from .logs import epochs_done
from .outcome import Outcome, read_outcome, read_outcomes, write_outcome
from .prepare import cell_config, compare_settings, run_settings
from .submit import TIMEOUT_MIN, Submitter

IDENTITY = 'identity.json'
OURS = (
    'outcome.json',
    'metrics.json',
    'output.log',
    'guided.txt',
    'run',
    'test',
    'job',
)
FOREVER = 1e9  # seconds of the progress bar's speed estimate: a cell may take hours


def run_grid(
    grid: Grid,
    work_dir: Path,
    tools: Path,
    jobs: int | None = 1,
    threads: int | None = None,
    gpus: Sequence[str] = (),
    resume: bool = False,
    retry: bool = False,
    executor: str = 'local',
    options: dict | None = None,
) -> list[Outcome]:
    """Train and test each cell that is not finished.

    A cell is finished if its ``outcome.json`` exists. An interrupted cell restarts from
    the beginning by default: checkpoints contain no random states, so a resumed run is
    not determined by its seed.

    Args:
        grid: The grid.
        work_dir: Parent of the cells' folders.
        tools: The folder of ``train.py`` and ``test.py``.
        jobs: Number of parallel runs, or of jobs in a cluster's queue. None: all.
        threads: CPU threads of a run. None: the cores of this machine divided by the
            jobs; on a cluster, the option ``cpus_per_task``, or 1.
        gpus: CUDA devices that are assigned to jobs. (): the environment's setting. On
            a cluster the queue assigns devices.
        resume: Whether interrupted cells continue from their last checkpoint.
        retry: Whether failed cells run again, with ``resume`` from their last
            checkpoint.
        executor: submitit's executor: ``'local'``, processes of this machine;
            ``'slurm'``, a cluster's queue; ``'debug'``, one cell after the other in
            this process.
        options: Parameters of ``submitit.AutoExecutor``, such as ``timeout_min``,
            ``gpus_per_node``, ``mem_gb`` or ``slurm_partition``.

    Raises:
        ValueError: A cell's folder has another experiment, or a config cannot be
            prepared; no cell was run.
        RuntimeError: The work dir is in use.
    """
    if jobs is not None:
        check_whole('jobs', jobs, least=1)
    check_choice('executor', executor, tuple(TIMEOUT_MIN))
    if gpus and executor == 'slurm':
        raise ValueError(
            f'`gpus` {list(gpus)} are devices of this machine: request '
            'devices from the queue by the option gpus_per_node=1'
        )
    most = 1 if executor == 'debug' else len(grid.cells)
    submitter = Submitter(tools, executor, options or {}, threads, jobs or most)
    slots = [gpus[i % len(gpus)] if gpus else None for i in range(submitter.jobs)]
    work_dir.mkdir(parents=True, exist_ok=True)
    with lock_folder(work_dir):
        known = read_outcomes(grid, work_dir)
        todo = [
            o
            for o in known
            if o.status == 'pending' or (retry and o.status == 'failed')
        ]
        queued = {o.cell.name: job for o in todo if (job := submitter.find_queued(o))}
        anew = [
            o
            for o in todo
            if not (resume and o.is_resumable) and o.cell.name not in queued
        ]
        _check_kept([o for o in known if o not in anew])
        for outcome in anew:
            _prepare(outcome)
        _run(todo, queued, slots, submitter, work_dir, len(known))
    return read_outcomes(grid, work_dir)


@dataclass(frozen=True)
class _Running:
    cell: Cell
    job: submitit.Job
    gpu: str | None
    bar: TaskID


def _run(
    todo: list[Outcome],
    queued: dict[str, submitit.Job],
    slots: list,
    submitter: Submitter,
    work_dir: Path,
    total: int,
) -> None:
    columns = (
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    todo, running = list(todo), []
    with Progress(*columns, speed_estimate_period=FOREVER) as progress:
        bar = progress.add_task('cells', total=total, completed=total - len(todo))
        try:
            while todo or running:
                while todo and slots:
                    outcome, gpu = todo.pop(0), slots.pop(0)
                    name = outcome.cell.name
                    job = queued.get(name) or submitter.submit(outcome, gpu)
                    settings = _read_identity(outcome)
                    length = settings.get(
                        'train_cfg.max_epochs', settings.get('train_cfg.max_iters')
                    )
                    running.append(
                        _Running(
                            outcome.cell,
                            job,
                            gpu,
                            progress.add_task(f'  {name}', total=length),
                        )
                    )
                for run in list(running):
                    progress.update(
                        run.bar,
                        completed=epochs_done(work_dir / run.cell.name / 'output.log'),
                    )
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
    """The message and style to print for a run that has ended."""
    outcome = read_outcome(run.cell, work_dir)
    # no outcome: the run was stopped by a signal, or by the executor
    if outcome.status == 'pending' and (error := run.job.exception()) is not None:
        write_outcome(outcome.folder, None, str(error), 0.0)
        outcome = read_outcome(run.cell, work_dir)
    if outcome.status == 'pending':
        text = 'stopped before the end; run the same command again'
    else:
        text = f'{outcome.status} after {outcome.seconds:.0f} s'
    return f'{run.cell.name}: {text}', 'red' if outcome.status == 'failed' else ''


def _prepare(outcome: Outcome) -> None:
    """Remove earlier files from a cell's folder and write the run's config."""
    folder = outcome.folder
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder, PATIENCE):  # processes of a killed run may be ending
        for name in OURS:  # keep other files
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        cell_config(outcome.cell, folder).dump(folder / 'config.py')
        settings = run_settings(outcome.cell)
        atomic_write(folder / IDENTITY, json.dumps(settings, indent=1))


def _read_identity(outcome: Outcome) -> dict:
    return read_state(
        outcome.folder / IDENTITY,
        'Delete the folder, and the cell is run again, or give another --work-dir',
    )


def _check_kept(kept: list[Outcome]) -> None:
    """Check that the settings of finished and interrupted runs have not changed."""
    for outcome in kept:
        before = _read_identity(outcome)
        now = run_settings(outcome.cell)
        if before != now:
            raise ValueError(
                f"'{outcome.folder}' has a run of other settings than the grid's now: "
                f'{compare_settings(before, now)}. Undo the change, delete the folder, '
                'or give another --work-dir'
            )
