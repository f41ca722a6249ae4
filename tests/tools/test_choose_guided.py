import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/cfcn_efficientnet-lite0_waterbirds.py'


def choose(data, *arguments):
    env = {**os.environ, 'CFCN_DATA': str(data), 'PYTHONPATH': str(ROOT)}
    return subprocess.run(
        [sys.executable, str(ROOT / 'tools/choose_guided.py'), str(CONFIG),
         *map(str, arguments)], capture_output=True, text=True, env=env)


def test_lists_are_of_training_images_by_class_and_never_overwritten(
        waterbirds_root, tmp_path):
    out = tmp_path / 'list.txt'
    done = choose(waterbirds_root, '-n', 2, '--per-class', '--seed', 1, '--out', out)
    assert done.returncode == 0, done.stderr
    keys = out.read_text().split()
    # odd numbers are waterbirds, and the first eight are for training
    assert sorted(int(Path(k).stem) % 2 for k in keys) == [0, 0, 1, 1]
    assert all(k.startswith('images/00') for k in keys)
    again = choose(waterbirds_root, '-n', 2, '--out', out)
    assert again.returncode != 0 and 'exists and is not overwritten' in again.stderr


@pytest.mark.parametrize('count,message', [(0, 'at least 1'), (99, 'has 8')])
def test_impossible_counts_are_named(waterbirds_root, count, message):
    done = choose(waterbirds_root, '-n', count)
    assert done.returncode != 0 and message in done.stderr
