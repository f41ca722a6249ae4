"""The report shows failures and the reliability of its numbers."""

from dataclasses import replace

from cfcn_plugin.experiments.outcome import read_outcomes
from cfcn_plugin.experiments.report import write_report
from cfcn_plugin.experiments.run import run_grid


def test_failures_are_reported_with_their_logs_and_numbers_stand_without_checkpoints(
    make_grid, tools, tmp_path
):
    grid = make_grid(
        "methods = dict(cnn='base.py', cfcn='base.py', bad=dict(config='base.py', "
        "options={'fail': True}))\nbaseline = 'cnn'\naxes = dict(seed=[0, 1, 2])\n"
        "metrics = {'right < 100': 'right'}",
        'fail = False\n'
        "test_dataloader = dict(dataset=dict(type='CSVDataset', ann_file='none.csv', "
        "classes=['a']))",
    )
    known = run_grid(grid, tmp_path / 'w', tools, executor='debug')
    report = write_report(grid, known, tmp_path / 'w', 'the <command>').read_text()
    assert '9 runs: 6 done, 3 failed' in report
    assert 'RuntimeError: no luck' in report and 'bad/data/seed=1' in report
    assert '91.0 ± 1.0' in report and 'right &lt; 100' in report
    assert 'the &lt;command&gt;' in report
    # identical runs: a difference without spread has no p
    assert '+0.0 [+0.0, +0.0]</small>' in report
    assert 'paired t test' in report and 'Nothing is corrected' in report
    assert 'Not drawn' in report
    wilcoxon = write_report(replace(grid, test='wilcoxon'), known, tmp_path / 'w')
    assert 'cannot fall below 0.25 with 3 seeds' in wilcoxon.read_text()


def test_nothing_has_run_yet(make_grid, tmp_path):
    grid = make_grid()
    (tmp_path / 'w').mkdir()
    report = write_report(grid, read_outcomes(grid, tmp_path / 'w'), tmp_path / 'w')
    assert '2 runs: 2 pending' in report.read_text()
