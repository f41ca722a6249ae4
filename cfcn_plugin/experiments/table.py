"""Numbers of a grid: a tidy table, and its summary over seeds."""
import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from .grid import AXES, Grid
from .run import Outcome

BEGIN, END = '<!-- table -->', '<!-- end of table -->'


@dataclass(frozen=True)
class Paired:
    """A system minus its baseline, seed by seed.

    Attributes:
        difference: The mean.
        low, high: Its 95 % confidence interval by Student's t; None for one seed.
        p: Two-sided; None where the test cannot say (one seed, or the same
            difference in each).
        n: Seeds that both have.
    """
    difference: float
    low: float | None
    high: float | None
    p: float | None
    n: int


@dataclass(frozen=True)
class Summary:
    """One metric of one place in the grid, over its seeds.

    Attributes:
        system, data: Names.
        place: {axis: label} of the other axes.
        metric: Title.
        values: {seed: value}, scaled.
        paired: Against the baseline, or None if there is none.
        baseline: Its name, where that is another than the grid's.
    """
    system: str
    data: str
    place: dict
    metric: str
    values: dict
    paired: Paired | None = None
    baseline: str | None = None

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return mean(self.values.values())

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds (n - 1); None for one."""
        return stdev(self.values.values()) if self.n > 1 else None

    def __str__(self) -> str:
        if self.spread is None:
            return f'{self.mean:.1f}'
        return f'{self.mean:.1f} ± {self.spread:.1f}'


def tidy(grid: Grid, known: Sequence[Outcome]) -> list[dict]:
    """A line a cell and metric; a cell that has none has one line, without a value.

    Columns: system, data, seed, alpha, masks, size, other axes, metric, value, status.
    A place along an axis is empty where the config's own setting is taken.
    """
    lines = []
    for outcome in known:
        place = dict(system=outcome.cell.system, data=outcome.cell.data)
        for axis in (*AXES, *grid.axes):
            place[axis] = outcome.cell.axes.get(axis, '')
        for metric, value in (outcome.metrics or {'': ''}).items():
            lines.append({
                **place, 'metric': metric, 'value': value, 'status': outcome.status
            })
    return lines


def write_csv(file: Path, lines: list[dict]) -> None:
    with file.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def metrics_of(grid: Grid, known: Sequence[Outcome]) -> dict[str, tuple[str, float]]:
    """The grid's {title: (key, factor)}, or all numbers that were logged as they are.

    Raises:
        ValueError: No finished cell has one of them, or it is a list (one a class).
    """
    logged = {key: value for o in known for key, value in (o.metrics or {}).items()}
    for title, (key, _) in grid.metrics.items():
        if logged and key not in logged:
            raise ValueError(f"metric '{title}' is '{key}', which no run has logged: "
                             f'there are {list(logged)}')
        if logged and not isinstance(logged[key], int | float):
            raise ValueError(f"metric '{title}' is '{key}', which is no number: "
                             f'{str(logged[key])[:60]}')
    return grid.metrics or {
        key: (key, 1.) for key, value in logged.items()
        if isinstance(value, int | float)
    }


def summarise(grid: Grid, known: Sequence[Outcome]) -> list[Summary]:
    """Mean, spread and paired test of each place in the grid, over finished seeds."""
    found: dict[tuple, Summary] = {}
    for title, (key, factor) in metrics_of(grid, known).items():
        for outcome in known:
            if key not in (outcome.metrics or ()):
                continue
            cell = outcome.cell
            place = {a: v for a, v in cell.axes.items() if a != 'seed'}
            summary = found.setdefault(
                (cell.system, cell.data, *place.items(), title),
                Summary(cell.system, cell.data, place, title, {}))
            summary.values[cell.axes.get('seed', '')] = factor * outcome.metrics[key]
    summaries = list(found.values())
    return [_with_test(s, summaries, grid) for s in summaries]


def _with_test(summary: Summary, summaries: list[Summary], grid: Grid) -> Summary:
    own = grid.twins.get(summary.system)
    plain = own or grid.plain
    for baseline in summaries if summary.system != plain else ():
        same = (baseline.system, baseline.data, baseline.metric) == (
            plain, summary.data, summary.metric)
        # along an axis that the baseline is without, its one run is everybody's baseline
        if same and baseline.place.items() <= summary.place.items():
            seeds = sorted(summary.values.keys() & baseline.values.keys(), key=str)
            if not seeds:
                return summary
            result = compare_pairs([summary.values[s] for s in seeds],
                                   [baseline.values[s] for s in seeds], grid.test)
            return replace(summary, paired=result, baseline=own)
    return summary


def compare_pairs(ours: Sequence[float], plain: Sequence[float],
                  test: str = 't') -> Paired:
    """Two systems with the same seeds.

    ``'t'`` is Student's paired t test: it takes the differences for normal, which
    three cannot show, and with three seeds a difference must be 2.5 times its own
    standard deviation for p < 0.05. ``'wilcoxon'`` (signed ranks, exact) takes nothing
    for granted and cannot fall below p = 0.25 with three seeds, 0.0625 with five.

    Args:
        ours, plain: A value a seed, in the same order.
        test: Which.
    """
    from scipy import stats

    differences = [a - b for a, b in zip(ours, plain)]
    n, centre = len(differences), mean(differences)
    if n < 2:
        return Paired(centre, None, None, None, n)
    spread = stdev(differences)
    reach = stats.t.ppf(0.975, n - 1) * spread / math.sqrt(n)
    p = None
    # the same in each up to rounding: no spread to hold it against
    if spread > 1e-9 * max(map(abs, (*ours, *plain, 1e-300))):
        if test == 't':
            p = float(stats.ttest_rel(ours, plain).pvalue)
        else:
            p = float(stats.wilcoxon(differences).pvalue)
    return Paired(centre, centre - reach, centre + reach, p, n)


def pivot(summaries: Sequence[Summary]) -> tuple[list[str], list[str], list[dict]]:
    """A line a system, data set and place; a column a metric.

    Returns:
        The axes that occur, the metrics, and the lines: ``system``, ``data``, the
        axes' labels ('' where a system is without), and {metric: Summary} as
        ``numbers``.
    """
    axes = list(dict.fromkeys(axis for s in summaries for axis in s.place))
    metrics = list(dict.fromkeys(s.metric for s in summaries))
    lines = {}
    for s in summaries:
        line = lines.setdefault((s.data, s.system, *s.place.items()), dict(
            data=s.data, system=s.system, numbers={},
            **{axis: s.place.get(axis, '') for axis in axes}))
        line['numbers'][s.metric] = s
    return axes, metrics, list(lines.values())


def against_plain(summary: Summary) -> str:
    """The paired comparison in words as short as a table's cell, or ''."""
    paired = summary.paired
    if paired is None:
        return ''
    p = '' if paired.p is None else f', p={paired.p:.2g}'
    versus = f' to {summary.baseline}' if summary.baseline else ''
    return f'{paired.difference:+.1f}{versus}{p}'


def markdown(summaries: Sequence[Summary]) -> str:
    """The table of a page: mean ± spread, and the difference to the baseline."""
    axes, metrics, lines = pivot(summaries)
    several = len({s.data for s in summaries}) > 1
    names = ['system', *(['data'] if several else []), *axes]
    text = ['| ' + ' | '.join([*names, *metrics, 'seeds']) + ' |',
            '|---' * (len(names) + len(metrics) + 1) + '|']
    for line in lines:
        cells = [str(line[name]) for name in names]
        seeds = max(s.n for s in line['numbers'].values())
        for metric in metrics:
            s = line['numbers'].get(metric)
            notes = [against_plain(s)] if s else []
            if s and s.n < seeds:  # measured in some of the runs
                notes.append(f'n={s.n}')
            notes = ', '.join(filter(None, notes))
            cells.append(f'{s or ""}' + (f' ({notes})' if notes else ''))
        text.append('| ' + ' | '.join([*cells, str(seeds)]) + ' |')
    return '\n'.join(text)


def write_into_page(file: Path, text: str) -> None:
    """Put a table into a page, between its marks; the rest of the page stays.

    Raises:
        ValueError: The page has no marks.
    """
    page = f'{BEGIN}\n{END}\n'
    if file.is_file():
        page = file.read_text(encoding='utf-8')
    if BEGIN not in page or END not in page.split(BEGIN)[1]:
        raise ValueError(f"'{file}' has no lines {BEGIN} and {END} to put the table "
                         f'between; the table:\n{text}')
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    file.write_text(f'{before}{BEGIN}\n{text}\n{END}{after}', encoding='utf-8')
