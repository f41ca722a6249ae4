"""The checkpoints that a run's work dir names, by standard library alone.

The process of a grid's cell asks for them, and imports no mm package.
"""

import re
from pathlib import Path

REGULAR = re.compile(r'(epoch|iter)_\d+\.pth')


def last_checkpoint(work_dir: Path) -> str:
    """Content of ``last_checkpoint``; a killed stock run may leave the file empty."""
    pointer = work_dir / 'last_checkpoint'
    return pointer.read_text().strip() if pointer.is_file() else ''


def regular_checkpoints(folder: Path) -> list[Path]:
    """The files ``epoch_N.pth`` and ``iter_N.pth``, in no order."""
    return [file for file in folder.glob('*.pth') if REGULAR.fullmatch(file.name)]


def has_checkpoint(work_dir: str | Path) -> bool:
    """Whether a run has saved a checkpoint, also if the checkpoint is unreachable."""
    work_dir = Path(work_dir)
    return bool(last_checkpoint(work_dir) or regular_checkpoints(work_dir))
