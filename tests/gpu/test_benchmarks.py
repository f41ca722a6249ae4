"""`python -m benchmarks --device cuda` runs to its last line."""

import sys
from unittest import mock

import pytest

from benchmarks.__main__ import known, main


@pytest.mark.gpu
@pytest.mark.parametrize('name', ['steps', 'loss', 'swap', 'methods', 'runner'])
def test_every_benchmark_of_a_gpu_runs(name, tmp_path):
    with mock.patch.object(
        sys,
        'argv',
        [
            'benchmarks',
            '--work-dir',
            str(tmp_path),
            '--only',
            name,
            '--tiny',
            '--pairs',
            '2',
            '--device',
            'cuda',
        ],
    ):
        main()
    assert all(line.ratio.median > 0 for line in known(tmp_path))
