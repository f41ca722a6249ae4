"""Tables of a grid against manually computed numbers."""

import csv
import math
from pathlib import Path

import pytest
from scipy import stats

from cfcn_plugin.experiments.grid import Cell, Grid
from cfcn_plugin.experiments.outcome import Outcome
from cfcn_plugin.experiments.table import (
    compare_pairs,
    format_comparison,
    format_estimate,
    format_markdown,
    metrics_of,
    summarise,
    tidy,
    write_csv,
    write_into_page,
)


def outcome(method, seed, value=None, data='digits', **axes):
    cell = Cell(method, data, Path('c.py'), {}, dict(seed=seed, **axes))
    if value is None:
        return Outcome(cell, Path('f'), 'failed', error='no luck')
    return Outcome(cell, Path('f'), 'done', {'right': value, 'other': 1.0})


def grid_of(known, **kwargs):
    axes = dict.fromkeys(axis for o in known for axis in o.cell.axes)
    given = dict(
        name='g',
        cells=tuple(o.cell for o in known),
        axes=tuple(axes),
        baseline='cnn',
        metrics={'right, %': ('right', 100.0)},
        test='t',
    )
    return Grid(**{**given, **kwargs})


def rows_of(known, **kwargs):
    return list(summarise(grid_of(known, **kwargs), known).itertuples())


THREE = [
    outcome('cnn', 0, 0.1),
    outcome('cnn', 1, 0.2),
    outcome('cnn', 2, 0.3),
    outcome('cfcn', 0, 0.5),
    outcome('cfcn', 1, 0.5),
    outcome('cfcn', 2, 0.8),
]


def test_mean_spread_and_number_are_those_worked_out_by_hand():
    baseline, ours = rows_of(THREE)
    assert baseline.Index == ('cnn', 'digits', 'right, %')
    assert (baseline.mean, baseline.n) == (pytest.approx(20), 3)
    assert baseline.spread == pytest.approx(10)
    assert ours.mean == pytest.approx(60)
    assert ours.spread == pytest.approx(300**0.5)  # (100 + 100 + 400) / 2
    assert format_estimate(ours) == '60.0 ± 17.3' and format_comparison(baseline) == ''


def test_one_seed_has_no_spread():
    (row,) = rows_of(THREE[:1])
    assert math.isnan(row.spread) and format_estimate(row) == '10.0'


def test_paired_test_is_that_worked_out_by_hand():
    _, paired = rows_of(THREE)
    # differences 40, 30, 50: mean 40, deviation 10, t = 40 / (10 / sqrt 3) = 6.928
    assert paired.difference == pytest.approx(40)
    # Student's with 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2)
    assert paired.p == pytest.approx(1 - 48**0.5 / 50**0.5)
    # 97.5 % quantile 4.302653
    assert paired.high - 40 == pytest.approx(4.302653 * 10 / 3**0.5)
    assert paired.low + paired.high == pytest.approx(80)
    assert format_comparison(paired, interval=True) == '+40.0 [+15.2, +64.8], p=0.02'


def test_seeds_are_paired_by_their_number_not_by_their_order():
    _, ours = rows_of([THREE[i] for i in (2, 0, 1, 3, 4, 5)])
    assert ours.p == pytest.approx(1 - 48**0.5 / 50**0.5)


def test_only_seeds_that_both_have_are_paired():
    baseline, ours = rows_of([*THREE[:2], outcome('cnn', 2), *THREE[3:]])
    assert baseline.n == 2 and ours.n == 3
    assert ours.difference == pytest.approx(35)  # of 40 and 30
    assert format_comparison(rows_of([THREE[0], THREE[4]])[1]) == ''  # no seed


def test_wilcoxon_cannot_fall_below_a_quarter_with_three():
    assert compare_pairs([5, 6, 8], [1, 1, 2], 'wilcoxon').p == pytest.approx(0.25)


def test_own_baseline_is_tested_against_and_named():
    _, ours = rows_of(THREE, baseline=None, own_baselines={'cfcn': 'cnn'})
    assert ours.difference == pytest.approx(40)
    assert format_comparison(ours).startswith('+40.0 to cnn, p=')


@pytest.mark.parametrize(
    'ours,baseline,difference',
    [
        ([3.0], [1.0], 2.0),
        ([0.3, 0.4], [0.1, 0.2], 0.2),
        ([0.3, 0.9], [0.1, 0.2], 0.45),
        ([1, 2, 3], [0, 1, 2], 1),
    ],
)
def test_where_the_test_cannot_say_there_is_no_p(ours, baseline, difference):
    paired = compare_pairs(ours, baseline)
    assert math.isnan(paired.p)
    assert paired.difference == pytest.approx(difference)
    assert math.isnan(paired.low) if len(ours) < 3 else paired.low == paired.high


def test_t_test_is_scipys():
    paired = compare_pairs([1.0, 2, 4, 3], [0.5, 2.5, 2, 1])
    assert paired.p == stats.ttest_rel([1.0, 2, 4, 3], [0.5, 2.5, 2, 1]).pvalue


def test_baseline_without_an_axis_is_the_baseline_of_all_its_values():
    _, first, second = rows_of(
        [
            outcome('cnn', 0, 0.1),
            outcome('cfcn', 0, 0.3, alpha=1),
            outcome('cfcn', 0, 0.4, alpha=2),
        ]
    )
    assert first.difference == pytest.approx(20)
    assert second.difference == pytest.approx(30)


def test_baseline_with_an_axis_is_that_of_the_same_value_and_data():
    rows = rows_of(
        [
            outcome('cnn', 0, 0.1, size=1),
            outcome('cnn', 0, 0.2, size=2),
            outcome('cnn', 0, 0.9, 'birds', size=2),
            outcome('cfcn', 0, 0.5, size=2),
            outcome('cfcn', 0, 0.5, size=3),
        ]
    )
    found = {row.Index[:-1]: row.difference for row in rows}
    assert found['cfcn', 'digits', '2'] == pytest.approx(30)
    assert math.isnan(found['cfcn', 'digits', '3'])


def test_labels_stay_as_the_grid_has_them():
    rows = rows_of([outcome('a', 0, 0.1, lr=value) for value in (1, 0.5, '5%', 2.0)])
    assert [row.Index[2] for row in rows] == ['1', '0.5', '5%', '2.0']


def test_without_a_finished_run_the_summary_is_empty():
    known = [outcome('cnn', 0)]
    assert summarise(grid_of(known), known).empty


def test_csv_is_tidy(tmp_path):
    known = [outcome('cnn', 0, 0.1, alpha=2.0, lr=0.5), outcome('cfcn', 1)]
    known[0].metrics['list'] = [1.0, float('nan')]
    grid = grid_of(known, axes=('seed', 'alpha', 'lr'))
    write_csv(tmp_path / 'r.csv', tidy(grid, known))
    with (tmp_path / 'r.csv').open(newline='') as stream:
        lines = list(csv.DictReader(stream))
    common = dict(
        method='cnn',
        data='digits',
        seed='0',
        alpha='2.0',
        masks='',
        size='',
        lr='0.5',
        status='done',
    )
    assert lines == [
        {**common, 'metric': 'right', 'value': '0.1'},
        {**common, 'metric': 'other', 'value': '1.0'},
        {**common, 'metric': 'list', 'value': '[1.0, nan]'},
        dict(
            method='cfcn',
            data='digits',
            seed='1',
            alpha='',
            masks='',
            size='',
            lr='',
            metric='',
            value='',
            status='failed',
        ),
    ]
    assert list(lines[0])[:6] == ['method', 'data', 'seed', 'alpha', 'masks', 'size']


def test_all_that_was_logged_is_shown_unless_the_grid_says_what():
    assert metrics_of(grid_of(THREE, metrics={}), THREE) == {
        'right': ('right', 1.0),
        'other': ('other', 1.0),
    }
    with pytest.raises(ValueError, match="'top1', which no run has logged"):
        metrics_of(grid_of(THREE, metrics={'x': ('top1', 1.0)}), THREE)


def test_markdown_has_a_line_a_place_and_the_difference():
    lines = format_markdown(summarise(grid_of(THREE), THREE)).splitlines()
    assert lines == [
        '| method | right, % | seeds |',
        '|---|---|---|',
        '| cnn | 20.0 ± 10.0 | 3 |',
        '| cfcn | 60.0 ± 17.3 (+40.0, p=0.02) | 3 |',
    ]


def test_a_page_s_table_is_replaced_and_its_text_kept(tmp_path):
    page = tmp_path / 'page.md'
    write_into_page(page, 'one')
    assert page.read_text() == '<!-- table -->\none\n<!-- end of table -->\n'
    page.write_text('# Title\n' + page.read_text() + 'Found: nothing.\n')
    write_into_page(page, 'two')
    assert page.read_text() == (
        '# Title\n<!-- table -->\ntwo\n<!-- end of table -->\nFound: nothing.\n'
    )
    page.write_text('mine')
    with pytest.raises(ValueError, match='marker lines .* for the table'):
        write_into_page(page, 'three')
    assert page.read_text() == 'mine'


def test_list_of_one_a_class_is_no_number_and_no_crash():
    known = [
        Outcome(o.cell, o.folder, 'done', dict(o.metrics, by_class=[1.0, 2.0]))
        for o in THREE
    ]
    assert [*metrics_of(grid_of(known, metrics={}), known)] == ['right', 'other']
    with pytest.raises(ValueError, match=r"'precision' is 'by_class', .*number: \[1"):
        metrics_of(grid_of(known, metrics={'precision': ('by_class', 1.0)}), known)


def test_number_that_fewer_seeds_have_says_how_many():
    known = [*THREE[:2], Outcome(THREE[2].cell, Path('f'), 'done', {'right': 0.3})]
    grid = grid_of(known, metrics={'right': ('right', 1.0), 'other': ('other', 1.0)})
    assert format_markdown(summarise(grid, known)).splitlines()[2] == (
        '| cnn | 0.2 ± 0.1 | 1.0 ± 0.0 (n=2) | 3 |'
    )
