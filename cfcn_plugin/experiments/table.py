"""The metrics of a grid: a tidy table, and its summary over seeds."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from pandas import DataFrame

from cfcn_plugin.atomic_write import atomic_write

from .grid import AXES, Grid
from .outcome import Outcome

BEGIN, END = '<!-- table -->', '<!-- end of table -->'
NAN = math.nan
LEAST = 3  # pairs: the spread of two says nothing


class Paired(NamedTuple):
    """The difference of a method and its baseline, paired by seed.

    Attributes:
        difference: The mean difference.
        low, high: The 95 % confidence interval by Student's t; NaN for one or two
            seeds.
        p: Two-sided p value; NaN for one or two seeds, or equal differences.
    """

    difference: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN


def tidy(grid: Grid, known: Sequence[Outcome]) -> DataFrame:
    """One row per cell and metric; a cell without metrics has one row without a value.

    Columns: method, data, seed, alpha, masks, size, other axes, metric, value, status.
    The label of an axis is empty where the cell uses the config's own setting.
    """
    axes = dict.fromkeys((*AXES, *grid.axes))
    return DataFrame(
        [
            dict(place_of(o, axes), metric=metric, value=value, status=o.status)
            for o in known
            for metric, value in (o.metrics or {'': ''}).items()
        ],
        dtype=object,
    )


def write_csv(file: Path, table: DataFrame) -> None:
    """Write a table as RFC 4180 has it; a missing number is ``nan``."""
    table.to_csv(file, index=False, na_rep='nan', lineterminator='\r\n')


def metrics_of(grid: Grid, known: Sequence[Outcome]) -> dict[str, tuple[str, float]]:
    """The grid's {title: (key, factor)}; by default all logged numbers, factor 1.

    Raises:
        ValueError: No finished cell has a metric, or a metric is a list (per class).
    """
    logged = {key: value for o in known for key, value in (o.metrics or {}).items()}
    for title, (key, _) in grid.metrics.items():
        if logged and key not in logged:
            raise ValueError(
                f"metric '{title}' is '{key}', which no run has logged: "
                f'there are {list(logged)}'
            )
        if logged and not isinstance(logged[key], int | float):
            raise ValueError(
                f"metric '{title}' is '{key}', which is no number: "
                f'{str(logged[key])[:60]}'
            )
    return grid.metrics or {
        key: (key, 1.0)
        for key, value in logged.items()
        if isinstance(value, int | float)
    }


def summarise(grid: Grid, known: Sequence[Outcome]) -> DataFrame:
    """Mean, spread and paired test of each place in the grid, over finished seeds.

    Returns:
        One row per method, data set, place along the axes, and metric. These are the
        index; the label is ``''`` for an axis along which a method does not vary, and
        axes that no method has are left out. Columns: ``mean``; ``spread``, the
        standard deviation (n - 1), NaN for one seed; ``n``, the number of seeds; the
        fields of :class:`Paired`, NaN without a baseline; ``baseline``, the name of a
        baseline that is not the grid's, else ``''``.
    """
    axes = [axis for axis in grid.axes if axis != 'seed']
    values = DataFrame(
        [
            dict(
                place_of(o, axes),
                metric=title,
                seed=str(o.cell.axes.get('seed', '')),
                value=factor * o.metrics[key],
            )
            for title, (key, factor) in metrics_of(grid, known).items()
            for o in known
            if key in (o.metrics or ())
        ]
    )
    if values.empty:
        return values
    values = values.drop(columns=[a for a in axes if not values[a].any()])
    groups = values.groupby(list(values.columns[:-2]), sort=False)
    # exact sums: the last digit must not depend on the order of seeds
    summary = groups['value'].agg(
        mean=mean, spread=lambda some: stdev(some) if len(some) > 1 else NAN, n='size'
    )
    by_seed = {place: some.set_index('seed')['value'] for place, some in groups}
    paired = DataFrame(
        [_against_baseline(place, by_seed, grid) for place in by_seed],
        index=summary.index,
    )
    own = [grid.own_baselines.get(place[0], '') for place in by_seed]
    return summary.join(paired).assign(baseline=own)


def place_of(outcome: Outcome, axes: Sequence[str]) -> dict[str, str]:
    """Method, data set and axis labels of a cell; ``''`` for a missing label."""
    cell = outcome.cell
    return dict(
        method=cell.method,
        data=cell.data,
        **{axis: str(cell.axes.get(axis, '')) for axis in axes},
    )


def _against_baseline(place: tuple, by_seed: dict, grid: Grid) -> Paired:
    method, data, *labels, metric = place
    wanted = grid.baseline_of(method), data, metric
    for (name, own, *rest, measured), values in by_seed.items():
        # a baseline that does not vary along an axis applies to all values of the axis
        if (
            name != method
            and (name, own, measured) == wanted
            and all(there in ('', here) for there, here in zip(rest, labels))
        ):
            ours, theirs = by_seed[place].align(values, join='inner')
            return compare_pairs(ours, theirs, grid.test) if len(ours) else Paired()
    return Paired()


def compare_pairs(
    ours: Sequence[float], baseline: Sequence[float], test: str = 't'
) -> Paired:
    """Compare two methods over the same seeds.

    ``'t'`` is Student's paired t test. The test assumes normal differences, which
    cannot be checked with three seeds; with three seeds p < 0.05 needs a mean
    difference of 2.5 of its standard deviations. ``'wilcoxon'`` (signed ranks, exact)
    assumes no distribution; with three seeds p is at least 0.25, with five 0.0625.

    Args:
        ours, baseline: One value per seed, in the same order.
        test: ``'t'`` or ``'wilcoxon'``.
    """
    from scipy import stats

    differences = [a - b for a, b in zip(ours, baseline)]
    centre = mean(differences)
    if len(differences) < LEAST:
        return Paired(centre)
    # equal differences up to rounding: the tests are undefined
    if stdev(differences) <= 1e-9 * max(map(abs, (*ours, *baseline, 1e-300))):
        return Paired(centre, centre, centre)
    student = stats.ttest_rel(ours, baseline)
    result = student if test == 't' else stats.wilcoxon(differences)
    return Paired(centre, *student.confidence_interval(0.95), result.pvalue)


def table_rows(summary: DataFrame) -> Iterator[tuple[dict, dict]]:
    """The rows of a table with one column per metric.

    Yields:
        {index name: label}, and {metric: row of the summary}.
    """
    names = summary.index.names[:-1]
    for place, rows in summary.groupby(level=list(names), sort=False):
        yield (
            dict(zip(names, place)),
            {row.Index: row for row in rows.droplevel(names).itertuples()},
        )


def format_estimate(row: tuple) -> str:
    """Mean ± spread of a row of the summary."""
    spread = '' if math.isnan(row.spread) else f' ± {row.spread:.1f}'
    return f'{row.mean:.1f}{spread}'


def format_comparison(row: tuple, interval: bool = False) -> str:
    """The paired comparison as text for a table cell; '' without a baseline."""
    if math.isnan(row.difference):
        return ''
    reach = (
        f' [{row.low:+.1f}, {row.high:+.1f}]'
        if interval and not math.isnan(row.low)
        else ''
    )
    p = '' if math.isnan(row.p) else f', p={row.p:.2g}'
    versus = f' to {row.baseline}' if row.baseline else ''
    return f'{row.difference:+.1f}{versus}{reach}{p}'


def format_markdown(summary: DataFrame) -> str:
    """A Markdown table: mean ± spread, and the difference to the baseline."""
    several = summary.index.unique('data').size > 1
    names = [name for name in summary.index.names[:-1] if name != 'data' or several]
    metrics = list(summary.index.unique('metric'))
    table = [[*names, *metrics, 'seeds']]
    for place, rows in table_rows(summary):
        seeds = max(row.n for row in rows.values())
        cells = [
            _cell(rows[metric], seeds) if metric in rows else '' for metric in metrics
        ]
        table.append([*(place[name] for name in names), *cells, str(seeds)])
    text = [f'| {" | ".join(row)} |' for row in table]
    return '\n'.join([text[0], '|---' * len(table[0]) + '|', *text[1:]])


def _cell(row: tuple, seeds: int) -> str:
    measured = f'n={row.n}' if row.n < seeds else ''  # only some runs have the metric
    notes = ', '.join(filter(None, (format_comparison(row), measured)))
    return format_estimate(row) + (f' ({notes})' if notes else '')


def write_into_page(file: Path, text: str) -> None:
    """Replace the table between the markers of a page.

    Raises:
        ValueError: The page has no markers.
    """
    page = file.read_text(encoding='utf-8') if file.is_file() else f'{BEGIN}\n{END}\n'
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(
            f"'{file}' has no marker lines {BEGIN} and {END} for the "
            f'table. The table:\n{text}'
        )
    # the file of a link, so that the link stays
    atomic_write(file.resolve(), f'{before}{BEGIN}\n{text}\n{END}{after}')
