"""The points of a grid's figures, from the logs of its runs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cfcn_plugin.experiments.figures import (
    add_both_losses,
    axis_points,
    condition_points,
    convergence_points,
    focus_losses,
    size_points,
)
from cfcn_plugin.experiments.grid import Cell, Grid
from cfcn_plugin.experiments.outcome import Outcome
from cfcn_plugin.experiments.table import summarise


def outcome(folder, method, seed, losses, right, **metrics):
    file = folder / method / str(seed) / 'run' / 'day' / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    records = [dict(epoch=1, loss=loss, step=i) for i, loss in enumerate(losses)]
    file.write_text(
        '\n'.join(map(json.dumps, [*records, dict(right=right, step=1)])) + '\n'
    )
    cell = Cell(method, 'digits', Path('c.py'), {}, dict(seed=seed))
    return Outcome(cell, file.parents[3], 'done', metrics)


GRID = Grid('g', (), ('seed',), None, {}, 't')


def summary_of(*values):
    """Of runs (method, data, axes, seed, value)."""
    known = [
        Outcome(
            Cell(method, data, Path('c.py'), {}, dict(seed=seed, **axes)),
            Path('f'),
            'done',
            dict(right=value),
        )
        for method, data, axes, seed, value in values
    ]
    axes = max((o.cell.axes for o in known), key=len)
    return summarise(replace(GRID, axes=tuple(axes)), known)


def line(points, panel, name):
    """x, mean and spread of one line."""
    some = points[(points['panel'] == panel) & (points['name'] == name)]
    return [list(some[column]) for column in ('x', 'mean', 'spread')]


def test_epochs_have_the_mean_of_their_records_and_the_spread_of_seeds(tmp_path):
    known = [
        outcome(tmp_path, 'a', 0, [1.0, 3.0], 0.5),
        outcome(tmp_path, 'a', 1, [4.0, 4.0], 0.7),
    ]
    points = convergence_points(
        replace(GRID, metrics={'right, %': ('right', 100.0)}), known
    )
    assert list(points['panel'].unique()) == ['class loss', 'right, %']
    assert line(points, 'class loss', 'a') == [[1], [3.0], [pytest.approx(2**0.5)]]
    assert line(points, 'right, %', 'a')[1] == [pytest.approx(60)]


def test_nothing_logged_is_no_point(tmp_path):
    known = [Outcome(Cell('a', 'd', Path('c.py'), {}, {}), tmp_path, 'done', {})]
    assert convergence_points(GRID, known).empty


def test_focus_loss_is_one_minus_the_fraction_inside(tmp_path):
    known = [
        outcome(tmp_path, 'a', 0, [1.0], 0.5, **{'focus/ratio': 0.2}),
        outcome(tmp_path, 'a', 1, [1.0], 0.5, **{'focus/ratio': 0.4}),
        outcome(tmp_path, 'b', 0, [1.0], 0.5),
    ]
    assert focus_losses(GRID, known).to_dict('index') == {
        'digits': {'a': pytest.approx(0.7)}
    }


def test_conditions_lie_in_their_order_and_summaries_are_left_out(tmp_path):
    measured = {
        'brightness/2': 50.0,
        'brightness/0.5': 70.0,
        'brightness/mean': 60.0,
        'swap/no_object': 40.0,
        'swap/original': 90.0,
        'swap/gap': 5.0,
    }
    points = condition_points(
        GRID,
        [
            outcome(tmp_path, 'a', 0, [1.0], 0.5, **measured),
            outcome(tmp_path, 'a', 1, [1.0], 0.5, **measured),
        ],
    )
    assert list(points['panel'].unique()) == ['brightness', 'swap']
    assert line(points, 'brightness', 'a') == [[0.5, 2.0], [70.0, 50.0], [0.0, 0.0]]
    assert line(points, 'swap', 'a')[0] == ['original', 'no_object']


def test_method_without_the_axis_has_no_x():
    points = axis_points(
        summary_of(
            ('cnn', 'd', {}, 0, 1.0),
            ('cnn', 'd', {}, 1, 3.0),
            ('cfcn', 'd', dict(alpha=0.5), 0, 4.0),
            ('cfcn', 'd', dict(alpha=2.0), 0, 5.0),
        ),
        'alpha',
    )
    (level,) = points[points['x'].isna()].itertuples()
    assert (level.name, level.mean, level.spread) == ('cnn', 2.0, pytest.approx(2**0.5))
    assert line(points, 'right', 'cfcn') == [[0.5, 2.0], [4.0, 5.0], [0.0, 0.0]]


def test_numbers_of_masks_beside_fractions_are_words_not_numbers():
    points = axis_points(
        summary_of(*[('cfcn', 'd', dict(masks=masks), 0, 4.0) for masks in (10, '5%')]),
        'masks',
    )
    assert line(points, 'right', 'cfcn')[0] == ['10', '5%']


def test_lines_name_data_set_and_place_where_there_are_several():
    points = axis_points(
        summary_of(
            *[
                ('cfcn', data, dict(alpha=1.0, masks=masks), 0, 4.0)
                for data in 'de'
                for masks in (1, 2)
            ]
        ),
        'masks',
    )
    assert set(points['name']) == {'cfcn, d, alpha 1.0', 'cfcn, e, alpha 1.0'}


def test_baseline_is_the_line_of_no_masks():
    points = size_points(
        summary_of(
            ('cnn', 'd', dict(size=10), 0, 1.0),
            ('cfcn', 'd', dict(size=10, masks='5%'), 0, 2.0),
            ('cfcn', 'other', dict(size=10, masks='5%'), 0, 9.0),
        ),
        'cfcn',
        'd',
        'cnn',
    )
    assert line(points, 'right', '0') == [[10], [1.0], [0.0]]
    assert line(points, 'right', '5%') == [[10], [2.0], [0.0]] and len(points) == 2


def test_both_losses_are_averaged_where_both_are_measured(tmp_path):
    # (0.6 + (1 - 0.8)) / 2, (1 + (1 - 0.6)) / 2
    measured = [
        ('a', 0, {'calibration/nll': 0.6, 'focus/ratio': 0.8}),
        ('a', 1, {'calibration/nll': 1.0, 'focus/ratio': 0.6}),
        ('b', 0, {'focus/ratio': 0.6}),
    ]
    known = [
        outcome(tmp_path, name, seed, [1.0], 0.5, **metrics)
        for name, seed, metrics in measured
    ]
    grid, known = add_both_losses(GRID, known)
    (row,) = summarise(grid, known).itertuples()
    assert row.Index == ('a', 'digits', 'mean of both losses')
    assert (row.mean, row.n) == (pytest.approx(0.55), 2)
    assert row.spread == pytest.approx(0.15 * 2**0.5)


def test_runs_without_the_class_loss_have_no_mean_of_both(tmp_path):
    known = [outcome(tmp_path, 'a', 0, [1.0], 0.5, **{'focus/ratio': 0.2})]
    assert add_both_losses(GRID, known) == (GRID, known)
