"""The points of the figures of a grid, from its outcomes.

Points are a table with the columns ``panel``, ``name`` (of the line), ``x`` (a number
or a word), ``mean`` and ``spread`` (standard deviation over seeds, 0 if unknown).
"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from pandas import DataFrame, Series

from .grid import Grid
from .logs import read_scalars
from .outcome import Outcome
from .table import place_of, tidy

TRAINED = {'loss': 'class loss', 'loss_focus': 'causally-focus loss × alpha'}
# Metrics under several conditions, by the prefix of their keys, with the order of
# conditions that are not numbers
CONDITIONS = {
    'brightness': (),
    'contrast': (),
    'swap': ('original', 'same_class', 'other_class', 'no_background', 'no_object'),
}
FOCUS = 'focus/ratio'  # 1 - the causally-focus loss
NLL = 'calibration/nll'  # the class loss
BOTH = 'mean of both losses'
MOST = 6  # panels of a figure


def convergence_points(grid: Grid, known: Sequence[Outcome]) -> DataFrame:
    """Both losses and the validation metrics over epochs."""
    trained = {title: (key, 1.0) for key, title in TRAINED.items()}
    axes = _axes(grid)
    names = legend_names(DataFrame([place_of(o, axes) for o in known]), axes)
    values = DataFrame(
        [
            dict(
                panel=title,
                name=name,
                x=record.get('epoch', record.get('step')),
                run=outcome.cell.name,
                value=factor * record[key],
            )
            for outcome, name in zip(known, names)
            if outcome.status == 'done'
            for record in read_scalars(outcome.folder / 'run')
            for title, (key, factor) in (
                trained if 'epoch' in record else grid.metrics
            ).items()
            if key in record
        ],
        columns=['panel', 'name', 'x', 'run', 'value'],
    )
    places = ['panel', 'name', 'x']
    # first the mean over an epoch's records, then the mean over seeds
    by_run = values.groupby([*places, 'run'], sort=False)['value'].mean().reset_index()
    points = _over_seeds(by_run).sort_values('x', kind='stable')
    return _panels(points, [*trained, *list(grid.metrics)[: MOST - len(trained)]])


def axis_points(summary: DataFrame, axis: str) -> DataFrame:
    """Metrics over one axis; ``x`` is missing for methods that have no such axis."""
    table = summary.reset_index()
    others = [name for name in summary.index.names[2:-1] if name != axis]
    labels = table[axis].where(table[axis] != '')
    numbers = pd.to_numeric(labels, errors='coerce')
    # if 10 and '5%' are mixed: words, not numbers
    x = labels if (numbers.isna() & labels.notna()).any() else numbers
    points = _of_summary(table, legend_names(table, others), x)
    points = pd.concat([points[x.isna()], points[x.notna()]])
    return _panels(points, points['panel'][points['x'].notna()].unique())


def size_points(
    summary: DataFrame, method: str, data: str, baseline: str | None
) -> DataFrame:
    """Metrics of one method over sizes, one line per number of masks.

    The baseline is the line of 0 masks.
    """
    table = summary.reset_index()
    chosen = (
        (table['data'] == data)
        & table['method'].isin([method, baseline])
        & (table['size'] != '')
    )
    table = table[chosen]
    masks = table['masks'] if 'masks' in table else Series('', table.index)
    names = masks.where(masks != '', 'all').where(table['method'] != baseline, '0')
    points = _of_summary(table, names, pd.to_numeric(table['size']))
    return _panels(points, points['panel'].unique())


def add_both_losses(grid: Grid, known: Sequence[Outcome]) -> tuple[Grid, list[Outcome]]:
    """Add the mean of class loss and causally-focus loss if both are known."""
    known = [
        replace(
            o, metrics={**o.metrics, BOTH: (o.metrics[NLL] + 1 - o.metrics[FOCUS]) / 2}
        )
        if {NLL, FOCUS} <= (o.metrics or {}).keys()
        else o
        for o in known
    ]
    if any(BOTH in (o.metrics or ()) for o in known):
        grid = replace(grid, metrics={BOTH: (BOTH, 1.0), **grid.metrics})
    return grid, known


def focus_losses(grid: Grid, known: Sequence[Outcome]) -> DataFrame:
    """Mean causally-focus loss over seeds on the test split.

    The table has a row per data set and a column per model; unmeasured values are
    missing.
    """
    table = tidy(grid, known)
    names = legend_names(table, _axes(grid), with_data=False)
    table = table.assign(name=names)[table['metric'] == FOCUS]
    losses = 1 - table['value'].astype(float)
    return (
        losses.groupby([table['data'], table['name']], sort=False)
        .mean()
        .unstack(sort=False)
    )


def condition_points(grid: Grid, known: Sequence[Outcome]) -> DataFrame:
    """Accuracy over conditions, with one panel per kind of measured condition."""
    table = tidy(grid, known)
    keys = table['metric'].str.partition('/')
    table = table.assign(
        panel=keys[0], x=keys[2], name=legend_names(table, _axes(grid))
    )
    points = []
    for kind, order in CONDITIONS.items():
        some = table[table['panel'] == kind]
        x = (
            pd.Categorical(some['x'], order)
            if order
            else pd.to_numeric(some['x'], errors='coerce')
        )
        some = some.assign(x=x, value=some['value'].astype(float))
        some = some.dropna(subset='x').sort_values('x', kind='stable')
        points.append(_over_seeds(some).astype({'x': object}))
    return pd.concat(points)


def legend_names(
    table: DataFrame, axes: Sequence[str], with_data: bool = True
) -> Series:
    """The method of each row, with the axis labels that differ among rows."""
    names = table['method']
    if with_data and table['data'].nunique() > 1:
        names = names + ', ' + table['data']
    for axis in axes:
        place = f', {axis} ' + table[axis]
        names = names + place.where(table[axis] != '', '')
    return names


def _axes(grid: Grid) -> list[str]:
    return [axis for axis in grid.axes if axis != 'seed']


def _of_summary(table: DataFrame, names: Series, x: Series) -> DataFrame:
    return DataFrame(
        dict(
            panel=table['metric'],
            name=names,
            x=x,
            mean=table['mean'],
            spread=table['spread'].fillna(0.0),
        )
    )


def _over_seeds(values: DataFrame) -> DataFrame:
    groups = values.groupby(['panel', 'name', 'x'], sort=False, observed=True)
    points = groups['value'].agg(mean='mean', spread='std').fillna({'spread': 0.0})
    return points.reset_index()


def _panels(points: DataFrame, order: Sequence[str]) -> DataFrame:
    """The first panels of an order, in this order."""
    shown = [panel for panel in order if panel in set(points['panel'])][:MOST]
    return points.set_index('panel').loc[shown].reset_index()
