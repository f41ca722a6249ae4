"""Every example runs as it stands, with the real packages, and says what it reached."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cfcn_plugin.data.public.textured_digits import write_textured_digits

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / 'examples').glob('*.py'))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    pytest.importorskip('skimage')
    pytest.importorskip('sklearn')
    return write_textured_digits(tmp_path_factory.mktemp('data') / 'textured-digits')


def test_there_are_examples():
    assert {'plain_pytorch', 'timm_train'} <= {file.stem for file in EXAMPLES}


@pytest.mark.parametrize('example', EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_short(example):
    assert len(example.read_text().splitlines()) <= 60


@pytest.mark.parametrize('plain', [[], ['--plain']], ids=['guided', 'plain'])
@pytest.mark.parametrize('example', EXAMPLES, ids=lambda file: file.stem)
def test_an_example_trains(example, plain, data):
    done = subprocess.run(
        [sys.executable, str(example), '--data', str(data), '--epochs', '1', *plain],
        capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stderr[-4000:]
    reached = dict(re.findall(r'(\w+): ([\d.]+)% right', done.stdout))
    assert set(reached) == {'tied', 'untied'}
    assert all(0 <= float(value) <= 100 for value in reached.values())
