"""Reading what a run logs: mmengine's ``scalars.json``, and its printed lines."""

import json
import re
from pathlib import Path

TAIL = 8192  # bytes of a log in which its last line of progress is looked for
# Epoch(train)  [3][ 50/120], Epoch(val) [3][12/12], Iter(train) [ 50/1000]
PROGRESS = re.compile(
    r'(?:Epoch|Iter)\((train|val)\) *(?:\[ *(\d+)\])?\[ *(\d+)/(\d+)\]'
)


def read_scalars(work_dir: Path) -> list[dict]:
    """All records of a work dir, one a line; logs of a resumed run are concatenated.

    A training record has ``epoch`` and losses. A validation record has metrics and
    ``step``, the number of finished epochs.
    """
    return [
        json.loads(line)
        for file in sorted(work_dir.glob('*/vis_data/scalars.json'))
        for line in file.read_text().splitlines()
        if line.endswith('}')
    ]


def epochs_done(log: Path) -> float:
    """How many epochs a run's output tells of, with the part of the current one.

    Of a run by iterations: how many iterations.
    """
    if not log.is_file():
        return 0
    with log.open('rb') as stream:
        stream.seek(max(0, stream.seek(0, 2) - TAIL))  # fast: called every 0.1 s
        lines = list(PROGRESS.finditer(stream.read().decode(errors='replace')))
    if not lines:
        return 0
    mode, epoch, done, length = lines[-1].groups()
    if epoch is None:
        return int(done)
    return int(epoch) if mode == 'val' else int(epoch) - 1 + int(done) / int(length)
