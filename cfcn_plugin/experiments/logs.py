"""Reading mmengine's log ``scalars.json``, which has one JSON record per line."""
import json
from pathlib import Path


def read_scalars(work_dir: Path) -> list[dict]:
    """All records of a work dir; logs of a resumed run are concatenated.

    A training record has ``epoch`` and losses. A validation record has metrics and
    ``step``, the number of finished epochs.
    """
    return [
        json.loads(line)
        for file in sorted(work_dir.glob('*/vis_data/scalars.json'))
        for line in file.read_text().splitlines() if line.endswith('}')
    ]


def last_epoch(work_dir: Path) -> int:
    """The current epoch of a run, 0 before the first record."""
    files = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not files:
        return 0
    with files[-1].open('rb') as stream:
        stream.seek(max(0, stream.seek(0, 2) - 4096))  # fast: called every 0.1 s
        lines = stream.read().decode(errors='replace').splitlines()
    whole = [line for line in lines if line.startswith('{') and line.endswith('}')]
    record = json.loads(whole[-1]) if whole else {}
    return int(record.get('epoch', record.get('step', 0)))
