"""Tables of a grid, against numbers worked out by hand."""
import csv
from pathlib import Path

import pytest
from scipy import stats

from cfcn_plugin.experiments.grid import Cell, Grid
from cfcn_plugin.experiments.run import Outcome
from cfcn_plugin.experiments.table import (
    against_plain,
    compare_pairs,
    markdown,
    metrics_of,
    summarise,
    tidy,
    write_csv,
    write_into_page,
)


def outcome(system, seed, value=None, data='digits', **axes):
    cell = Cell(system, data, Path('c.py'), {}, dict(seed=seed, **axes))
    if value is None:
        return Outcome(cell, Path('f'), 'failed', error='no luck')
    return Outcome(cell, Path('f'), 'done', {'right': value, 'other': 1.})


def grid_of(known, **kwargs):
    given = dict(name='g', cells=tuple(o.cell for o in known), axes=('seed', ),
                 plain='cnn', metrics={'right, %': ('right', 100.)}, test='t')
    return Grid(**{**given, **kwargs})


THREE = [outcome('cnn', 0, .1), outcome('cnn', 1, .2), outcome('cnn', 2, .3),
         outcome('cfcn', 0, .5), outcome('cfcn', 1, .5), outcome('cfcn', 2, .8)]


def test_mean_spread_and_number_are_those_worked_out_by_hand():
    plain, ours = summarise(grid_of(THREE), THREE)
    assert (plain.mean, plain.n) == (pytest.approx(20), 3)
    assert plain.spread == pytest.approx(10)
    assert ours.mean == pytest.approx(60)
    assert ours.spread == pytest.approx(300**.5)  # (100 + 100 + 400) / 2
    assert str(ours) == '60.0 ± 17.3' and plain.paired is None


def test_paired_test_is_that_worked_out_by_hand():
    paired = summarise(grid_of(THREE), THREE)[1].paired
    # differences 40, 30, 50: mean 40, deviation 10, t = 40 / (10 / sqrt 3) = 6.928
    assert paired.difference == pytest.approx(40) and paired.n == 3
    # Student's with 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2)
    assert paired.p == pytest.approx(1 - 48**.5 / 50**.5)
    # 97.5 % quantile 4.302653
    assert paired.high - 40 == pytest.approx(4.302653 * 10 / 3**.5)
    assert paired.low + paired.high == pytest.approx(80)


def test_seeds_are_paired_by_their_number_not_by_their_order():
    known = [THREE[i] for i in (2, 0, 1, 3, 4, 5)]
    ours = summarise(grid_of(known), known)[1]
    assert ours.paired.p == pytest.approx(1 - 48**.5 / 50**.5)


def test_only_seeds_that_both_have_are_paired():
    known = [*THREE[:2], outcome('cnn', 2), *THREE[3:]]
    plain, ours = summarise(grid_of(known), known)
    assert plain.n == 2 and ours.n == 3 and ours.paired.n == 2
    assert ours.paired.difference == pytest.approx(35)


def test_wilcoxon_cannot_fall_below_a_quarter_with_three():
    assert compare_pairs([5, 6, 8], [1, 1, 2], 'wilcoxon').p == pytest.approx(0.25)


def test_own_twin_is_tested_against_and_named():
    grid = grid_of(THREE, plain=None, twins={'cfcn': 'cnn'})
    _, ours = summarise(grid, THREE)
    assert ours.paired.difference == pytest.approx(40)
    assert against_plain(ours).startswith('+40.0 to cnn, p=')


@pytest.mark.parametrize('ours,plain,difference', [([3.], [1.], 2.),
                                                   ([.3, .4], [.1, .2], .2)])
def test_where_the_test_cannot_say_there_is_no_p(ours, plain, difference):
    paired = compare_pairs(ours, plain)
    assert paired.p is None
    assert paired.difference == pytest.approx(difference)


def test_t_test_is_scipys():
    paired = compare_pairs([1., 2, 4, 3], [.5, 2.5, 2, 1])
    assert paired.p == stats.ttest_rel([1., 2, 4, 3], [.5, 2.5, 2, 1]).pvalue


def test_twin_without_an_axis_is_the_twin_of_all_its_values():
    known = [outcome('cnn', 0, .1), outcome('cfcn', 0, .3, alpha=1),
             outcome('cfcn', 0, .4, alpha=2)]
    _, first, second = summarise(grid_of(known), known)
    assert first.paired.difference == pytest.approx(20)
    assert second.paired.difference == pytest.approx(30)


def test_twin_with_an_axis_is_that_of_the_same_value_and_data():
    known = [outcome('cnn', 0, .1, size=1), outcome('cnn', 0, .2, size=2),
             outcome('cnn', 0, .9, 'birds', size=2), outcome('cfcn', 0, .5, size=2),
             outcome('cfcn', 0, .5, size=3)]
    found = {(s.system, s.data, s.place['size']): s
             for s in summarise(grid_of(known), known)}
    assert found['cfcn', 'digits', 2].paired.difference == pytest.approx(30)
    assert found['cfcn', 'digits', 3].paired is None


def test_csv_is_tidy(tmp_path):
    known = [outcome('cnn', 0, .1, alpha=2., lr=.5), outcome('cfcn', 1)]
    grid = grid_of(known, axes=('seed', 'alpha', 'lr'))
    write_csv(tmp_path / 'r.csv', tidy(grid, known))
    with (tmp_path / 'r.csv').open(newline='') as stream:
        lines = list(csv.DictReader(stream))
    common = dict(system='cnn', data='digits', seed='0', alpha='2.0', masks='', size='',
                  lr='0.5', status='done')
    assert lines == [
        {**common, 'metric': 'right', 'value': '0.1'},
        {**common, 'metric': 'other', 'value': '1.0'},
        dict(system='cfcn', data='digits', seed='1', alpha='', masks='', size='', lr='',
             metric='', value='', status='failed')]
    assert list(lines[0])[:6] == ['system', 'data', 'seed', 'alpha', 'masks', 'size']


def test_all_that_was_logged_is_shown_unless_the_grid_says_what():
    assert metrics_of(grid_of(THREE, metrics={}), THREE) == {
        'right': ('right', 1.), 'other': ('other', 1.)}
    with pytest.raises(ValueError, match="'top1', which no run has logged"):
        metrics_of(grid_of(THREE, metrics={'x': ('top1', 1.)}), THREE)


def test_markdown_has_a_line_a_place_and_the_difference():
    lines = markdown(summarise(grid_of(THREE), THREE)).splitlines()
    assert lines == ['| system | right, % | seeds |', '|---|---|---|',
                     '| cnn | 20.0 ± 10.0 | 3 |',
                     '| cfcn | 60.0 ± 17.3 (+40.0, p=0.02) | 3 |']


def test_a_page_s_table_is_replaced_and_its_text_kept(tmp_path):
    page = tmp_path / 'page.md'
    write_into_page(page, 'one')
    assert page.read_text() == '<!-- table -->\none\n<!-- end of table -->\n'
    page.write_text('# Title\n' + page.read_text() + 'Found: nothing.\n')
    write_into_page(page, 'two')
    assert page.read_text() == ('# Title\n<!-- table -->\ntwo\n'
                                '<!-- end of table -->\nFound: nothing.\n')
    page.write_text('mine')
    with pytest.raises(ValueError, match='to put the table between'):
        write_into_page(page, 'three')
    assert page.read_text() == 'mine'


def test_list_of_one_a_class_is_no_number_and_no_crash():
    known = [Outcome(o.cell, o.folder, 'done', dict(o.metrics, by_class=[1., 2.]))
             for o in THREE]
    assert [*metrics_of(grid_of(known, metrics={}), known)] == ['right', 'other']
    with pytest.raises(ValueError, match=r"'precision' is 'by_class', .*number: \[1"):
        metrics_of(grid_of(known, metrics={'precision': ('by_class', 1.)}), known)


def test_number_that_fewer_seeds_have_says_how_many():
    known = [*THREE[:2], Outcome(THREE[2].cell, Path('f'), 'done', {'right': .3})]
    grid = grid_of(known, metrics={'right': ('right', 1.), 'other': ('other', 1.)})
    assert markdown(summarise(grid, known)).splitlines()[2] == (
        '| cnn | 0.2 ± 0.1 | 1.0 ± 0.0 (n=2) | 3 |')
