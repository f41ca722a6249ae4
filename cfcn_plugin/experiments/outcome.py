"""The outcomes of the cells of a grid, read from the cells' files."""

import json
from dataclasses import dataclass
from pathlib import Path

from cfcn_plugin.atomic_write import atomic_write
from cfcn_plugin.printable import printable_lines
from cfcn_plugin.state_file import read_state
from cfcn_plugin.work_dir import has_checkpoint

from .grid import Cell, Grid

TAIL = 25  # kept lines of a failed run's log
KEYS = ('status', 'metrics', 'seconds', 'error')  # of outcome.json


@dataclass(frozen=True)
class Outcome:
    """The status and results of a cell.

    Attributes:
        cell: The cell.
        folder: The cell's folder, with ``config.py``, ``run`` (the work dir of
            training), ``output.log``, and ``outcome.json``, which is written last.
        status: ``'done'``, ``'failed'`` or ``'pending'``.
        metrics: Metrics of the test split, if done.
        seconds: Duration of training and test.
        error: The reason and the end of the log, if failed.
    """

    cell: Cell
    folder: Path
    status: str = 'pending'
    metrics: dict[str, float] | None = None
    seconds: float = 0.0
    error: str = ''

    @property
    def config(self) -> Path:
        """The resolved config of the run."""
        dumped = self.folder / 'run' / 'config.py'
        return dumped if dumped.is_file() else self.folder / 'config.py'

    @property
    def is_resumable(self) -> bool:
        """Whether the cell can continue from a checkpoint."""
        return self.status != 'done' and has_checkpoint(self.folder / 'run')

    @property
    def checkpoint(self) -> Path:
        """Path of the last checkpoint, below ``folder``, which may have been moved."""
        run = self.folder / 'run'
        return run / Path((run / 'last_checkpoint').read_text().strip()).name


def read_outcome(cell: Cell, work_dir: Path) -> Outcome:
    """Read the outcome of a cell.

    Raises:
        ValueError: ``outcome.json`` cannot be read.
    """
    file = work_dir / cell.name / 'outcome.json'
    known = (
        read_state(file, 'Delete the file, and the cell is run again', KEYS)
        if file.is_file()
        else {}
    )
    return Outcome(cell, file.parent, **known)


def read_outcomes(grid: Grid, work_dir: Path) -> list[Outcome]:
    """Read the outcomes of all cells."""
    return [read_outcome(cell, work_dir) for cell in grid.cells]


def write_outcome(
    folder: Path, metrics: dict | None, error: str, seconds: float
) -> None:
    """Write ``outcome.json``; the end of the log is appended to an error."""
    if error:
        log = folder / 'output.log'
        lines = (
            log.read_text(encoding='utf-8', errors='replace').splitlines()
            if log.is_file()
            else []
        )
        # a log quotes files, and has a terminal's colours
        error = printable_lines(
            '\n'.join([f'{error}; the end of {log}:', *lines[-TAIL:]])
        )
    outcome = dict(
        zip(KEYS, ('failed' if error else 'done', metrics, seconds, error), strict=True)
    )
    atomic_write(folder / 'outcome.json', json.dumps(outcome, indent=1))
