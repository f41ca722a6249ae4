"""Points of a grid's figures, from what its runs logged."""
import json
from pathlib import Path

import pytest

from cfcn_plugin.experiments.figures import (
    both_losses,
    condition_lines,
    convergence_lines,
    focus_losses,
    lines_along,
    size_lines,
)
from cfcn_plugin.experiments.grid import Cell, Grid
from cfcn_plugin.experiments.run import Outcome
from cfcn_plugin.experiments.table import Summary


def outcome(folder, system, seed, losses, right, **metrics):
    file = folder / system / str(seed) / 'run' / 'day' / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    records = [dict(epoch=1, loss=loss, step=i) for i, loss in enumerate(losses)]
    file.write_text(
        '\n'.join(map(json.dumps, [*records, dict(right=right, step=1)])) + '\n')
    cell = Cell(system, 'digits', Path('c.py'), {}, dict(seed=seed))
    return Outcome(cell, file.parents[3], 'done', metrics)


def test_epochs_have_the_mean_of_their_records_and_the_spread_of_seeds(tmp_path):
    known = [outcome(tmp_path, 'a', 0, [1., 3.], .5),
             outcome(tmp_path, 'a', 1, [4., 4.], .7)]
    grid = Grid('g', (), ('seed', ), None, {'right, %': ('right', 100.)}, 't')
    lines = convergence_lines(grid, known)
    assert list(lines) == ['class loss', 'right, %']
    line = lines['class loss']['a']
    assert (line.x, line.y) == ([1], [3.])
    assert line.spread == [pytest.approx(2**.5)]
    assert lines['right, %']['a'].y == [pytest.approx(60)]


def test_focus_loss_is_one_minus_the_share_inside(tmp_path):
    known = [outcome(tmp_path, 'a', 0, [1.], .5, **{'focus/ratio': .2}),
             outcome(tmp_path, 'a', 1, [1.], .5, **{'focus/ratio': .4}),
             outcome(tmp_path, 'b', 0, [1.], .5)]
    assert focus_losses(known) == {'digits': {'a': pytest.approx(.7)}}


def test_conditions_lie_in_their_order_and_summaries_are_left_out(tmp_path):
    measured = {'brightness/2': 50., 'brightness/0.5': 70., 'brightness/mean': 60.,
                'swap/no_object': 40., 'swap/original': 90., 'swap/gap': 5.}
    known = [outcome(tmp_path, 'a', 0, [1.], .5, **measured)]
    panels = condition_lines(known)
    assert list(panels) == ['brightness', 'swap']
    assert (panels['brightness']['a'].x, panels['brightness']['a'].y) == (
        [.5, 2.], [70., 50.])
    assert panels['swap']['a'].x == ['original', 'no_object']


def test_system_without_the_axis_is_a_level():
    some = [Summary('cnn', 'd', {}, 'right', {0: 1., 1: 3.}),
            Summary('cfcn', 'd', dict(alpha=.5), 'right', {0: 4.}),
            Summary('cfcn', 'd', dict(alpha=2.), 'right', {0: 5.})]
    lines, levels = lines_along(some, 'alpha')
    assert levels == {'right': {'cnn': (2., pytest.approx(2**.5))}}
    assert lines['right']['cfcn'].x == [.5, 2.]
    assert lines['right']['cfcn'].y == [4., 5.]


def test_numbers_of_masks_beside_shares_are_places_not_numbers():
    some = [Summary('cfcn', 'd', dict(masks=m), 'right', {0: 4.}) for m in (10, '5%')]
    assert lines_along(some, 'masks')[0]['right']['cfcn'].x == ['10', '5%']


def test_plain_twin_is_the_line_of_no_masks():
    some = [Summary('cnn', 'd', dict(size=10), 'right', {0: 1.}),
            Summary('cfcn', 'd', dict(size=10, masks='5%'), 'right', {0: 2.}),
            Summary('cfcn', 'other', dict(size=10, masks='5%'), 'right', {0: 9.})]
    lines = size_lines(some, 'cfcn', 'd', 'cnn')['right']
    assert {name: line.y for name, line in lines.items()} == {'0': [1.], '5%': [2.]}


def test_both_losses_are_averaged_where_both_are_measured(tmp_path):
    # (0.6 + (1 - 0.8)) / 2, (1 + (1 - 0.6)) / 2
    measured = [('a', 0, {'calibration/nll': .6, 'focus/ratio': .8}),
                ('a', 1, {'calibration/nll': 1., 'focus/ratio': .6}),
                ('b', 0, {'focus/ratio': .6})]
    known = [outcome(tmp_path, name, seed, [1.], .5, **metrics)
             for name, seed, metrics in measured]
    summary, = both_losses(Grid('g', (), ('seed', ), None, {}, 't'), known)
    assert (summary.metric, summary.system) == ('mean of both losses', 'a')
    assert summary.values == pytest.approx({0: .4, 1: .7})


def test_runs_without_the_class_loss_have_no_mean_of_both(tmp_path):
    known = [outcome(tmp_path, 'a', 0, [1.], .5, **{'focus/ratio': .2})]
    assert both_losses(Grid('g', (), ('seed', ), None, {}, 't'), known) == []
