"""Every benchmark runs to its last line, and the table keeps what was measured."""

import sys
from unittest import mock

import pytest

from benchmarks.__main__ import BENCHMARKS, known, main, markdown, merged
from benchmarks.pairs import Line, Ratio


def run(work_dir, *arguments):
    argv = ['benchmarks', '--work-dir', str(work_dir), *arguments]
    with mock.patch.object(sys, 'argv', argv):
        main()


FIGURES = dict(
    steps=6,
    loop=2,
    loss=6,
    compiled=6,
    methods=4,
    swap=2,
    runner=1,
    processes=1,
    masks=15,
    torch_masks=12,
    repair=1,
)
SLOW = ('compiled', 'processes')  # a compiler's, and an interpreter's, start


@pytest.mark.parametrize(
    'name',
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW))
        for name in BENCHMARKS
    ],
)
def test_every_benchmark_runs(name, tmp_path, capsys):
    run(tmp_path, '--only', name, '--tiny', '--pairs', '2')
    lines = known(tmp_path)
    assert len(lines) == FIGURES[name]
    assert all(line.ratio.median > 0 for line in lines)
    assert capsys.readouterr().out.count('\n| ') == FIGURES[name] + 1


def test_a_benchmark_measured_alone_leaves_the_others_in_the_page(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('# Cost\n\n<!-- table -->\n<!-- end of table -->\n\nmore\n')
    for name in ('loss', 'runner'):  # each on another machine
        arguments = ('--only', name, '--tiny', '--pairs', '2', '--page', str(page))
        run(tmp_path / name, *arguments)
    text = page.read_text()
    assert 'loss over' in text and 'runner over' in text
    assert text.startswith('# Cost') and text.endswith('\nmore\n')


def test_a_page_keeps_its_other_rows_and_their_order():
    page = (
        '| not a row |\n<!-- table -->\n| what | ratio |\n|---|---|\n| a | 1 |\n'
        '| b | 2 |\n\n2 cores:\n<!-- end of table -->\n| not a row |\n'
    )
    table = '| what | ratio |\n|---|---|\n| c | 3 |\n| a | 4 |'
    assert merged(page, table).splitlines() == [
        '| what | ratio |',
        '|---|---|',
        '| a | 4 |',
        '| b | 2 |',
        '| c | 3 |',
    ]


def test_a_missed_aim_is_bold():
    near, far = Ratio(1.03, 1.01, 1.05, 30), Ratio(1.04, 1.03, 1.05, 30)
    rows = markdown([Line('a', near, 1.02, '5 ms'), Line('b', far, 1.02)]).splitlines()
    assert rows[2] == '| a | 1.030 (1.010 to 1.050) | 1.02 | 5 ms |'
    assert rows[3] == '| b | **1.040 (1.030 to 1.050)** | 1.02 |  |'


def test_pairs_must_be_positive(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path, '--pairs', '0')
    assert '--pairs must be at least 1, got 0' in capsys.readouterr().err
