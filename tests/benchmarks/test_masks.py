"""The benchmark's data is what it says, and it runs to its last line."""
import runpy
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

FILE = Path(__file__).parents[2] / 'benchmarks' / 'masks.py'


@pytest.fixture(scope='module')
def benchmark():
    return runpy.run_path(str(FILE))


def test_pictures_are_as_large_as_imagenet_s(benchmark, tmp_path):
    benchmark['make_data'](tmp_path, 2)
    for i in range(2):
        picture = tmp_path / 'images' / f'{i}.jpg'
        assert Image.open(picture).size == (500, 375)
        assert 90_000 < picture.stat().st_size < 130_000
        masks = [np.array(Image.open(tmp_path / folder / f'{i}.png')) > 0
                 for folder in ('masks', 'one_bit')]
        np.testing.assert_array_equal(*masks)
        assert 0.2 < masks[0].mean() < 0.5


def test_interval_by_hand(benchmark):
    mean, half = benchmark['interval'](np.array([0.8, 0.9, 1.0]))
    assert mean == pytest.approx(0.9)
    assert half == pytest.approx(4.3027 * 0.1 / 3**0.5, rel=1e-4)


def test_it_prints_a_ratio_for_each_pipeline_and_source(benchmark, capsys):
    argv = ['masks.py', '--pairs', '2', '--pictures', '2']
    with mock.patch('sys.argv', argv):
        benchmark['main']()
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == len(benchmark['PIPELINES']) * len(benchmark['SOURCES'])
    assert all('±' in line or 'is not there' in line for line in lines)
