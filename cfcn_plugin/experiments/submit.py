"""Submitting a cell to an executor: a process of this machine, or a cluster's queue."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import submitit

from .cell_run import CellRun
from .outcome import Outcome

# default minutes after which an executor ends a run
TIMEOUT_MIN = {'local': 10 * 365 * 24 * 60, 'slurm': 24 * 60, 'debug': 1}
THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


@dataclass(frozen=True)
class Submitter:
    """Submits cells to an executor of submitit; attributes: :func:`.run.run_grid`."""

    tools: Path
    executor: str
    options: dict
    threads: int | None
    jobs: int

    def submit(self, outcome: Outcome, gpu: str | None) -> submitit.Job:
        folder = outcome.folder / 'job'
        shutil.rmtree(folder, ignore_errors=True)
        executor = submitit.AutoExecutor(folder, cluster=self.executor)
        defaults = dict(
            name=outcome.cell.name.replace('/', '_'),
            stderr_to_stdout=True,
            timeout_min=TIMEOUT_MIN[self.executor],
        )
        if self.threads:
            defaults['cpus_per_task'] = self.threads
        executor.update_parameters(**{**defaults, **self.options})
        return executor.submit(
            CellRun(
                outcome,
                self.tools,
                self._environment(gpu),
                parent=os.getpid() if self.executor == 'local' else None,
            )
        )

    def find_queued(self, outcome: Outcome) -> submitit.Job | None:
        """The cell's job of an earlier, killed command that is still in the queue."""
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
        # submitit's local executor hides devices that submitit has not assigned
        devices = os.environ.get('CUDA_VISIBLE_DEVICES') if gpu is None else gpu
        return {**dict.fromkeys(THREADS, str(threads)), 'CUDA_VISIBLE_DEVICES': devices}
