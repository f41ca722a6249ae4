"""What is known of the cells of a grid, from their files."""
import json
from dataclasses import dataclass
from pathlib import Path

from .cell_run import checkpoint_of, config_of
from .grid import Cell, Grid


@dataclass(frozen=True)
class Outcome:
    """What is known of a cell.

    Attributes:
        cell: The cell.
        folder: Where its files are: ``config.py``, ``run`` (the work dir of training),
            ``output.log``, and ``outcome.json``, written last.
        status: ``'done'``, ``'failed'`` or ``'pending'``.
        metrics: Of the test split, if done.
        seconds: Duration of training and test.
        error: The reason and the end of the log, if failed.
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
        return config_of(self.folder)

    @property
    def is_begun(self) -> bool:
        """Whether the cell can go on from a checkpoint."""
        return self.status != 'done' and (
            self.folder / 'run' / 'last_checkpoint').is_file()

    @property
    def checkpoint(self) -> Path:
        """The last checkpoint."""
        return checkpoint_of(self.folder)


def read_outcome(cell: Cell, work_dir: Path) -> Outcome:
    """What is known of a cell."""
    file = work_dir / cell.name / 'outcome.json'
    known = json.loads(file.read_text()) if file.is_file() else {}
    return Outcome(cell, file.parent, **known)


def read_outcomes(grid: Grid, work_dir: Path) -> list[Outcome]:
    """What is known of each cell."""
    return [read_outcome(cell, work_dir) for cell in grid.cells]
