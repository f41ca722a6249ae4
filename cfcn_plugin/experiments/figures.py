"""From a grid's outcomes to the points of its figures."""
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean, stdev

from cfcn_plugin.visualization.charts import Line

from .grid import Grid
from .logs import scalars
from .run import Outcome
from .table import Summary, summarise

TRAINED = {'loss': 'class loss', 'loss_focus': 'causally-focus loss × alpha'}
# Measures under several conditions, by the prefix of their keys; where they have no
# numbers, their order
CONDITIONS = {
    'brightness': (),
    'contrast': (),
    'swap': ('original', 'same_class', 'other_class', 'no_background', 'no_object'),
}
FOCUS = 'focus/ratio'  # 1 - the causally-focus loss
NLL = 'calibration/nll'  # the class loss
BOTH = 'mean of both losses'
MOST = 3  # panels of a figure


def convergence_lines(grid: Grid,
                      known: Sequence[Outcome]) -> dict[str, dict[str, Line]]:
    """{quantity: {system: line over epochs}}: both losses, and validated metrics."""
    validated = {key: title for title, (key, _) in grid.metrics.items()}
    points = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for outcome in known:
        if outcome.status != 'done':
            continue
        name = _named(outcome.cell.system, outcome.cell.data, outcome.cell.axes, known)
        by_epoch = defaultdict(list)  # (quantity, epoch): values of this run
        for record in scalars(outcome.folder / 'run'):
            titles = TRAINED if 'epoch' in record else validated
            epoch = record.get('epoch', record.get('step'))
            for key in titles.keys() & record.keys():
                factor = 1 if 'epoch' in record else grid.metrics[validated[key]][1]
                by_epoch[titles[key], epoch].append(factor * record[key])
        for (title, epoch), values in by_epoch.items():
            points[title][name][epoch].append(mean(values))
    order = [*TRAINED.values(), *list(validated.values())[:2 * MOST - len(TRAINED)]]
    return {
        title: {name: _line(some) for name, some in points[title].items()}
        for title in order if title in points
    }


def lines_along(summaries: Sequence[Summary], axis: str) -> tuple[dict, dict]:
    """Points over one axis, and the levels of systems that are without it.

    Returns:
        {metric: {system: line}}, {metric: {system: (mean, spread)}}.
    """
    along, levels = defaultdict(lambda: defaultdict(list)), defaultdict(dict)
    # 10 beside '5%': places, not numbers
    as_words = any(isinstance(s.place.get(axis), str) for s in summaries)
    for s in summaries:
        rest = {a: v for a, v in s.place.items() if a != axis}
        name = _named(s.system, s.data, rest, summaries)
        if axis in s.place:
            along[s.metric][name].append(s)
        else:
            levels[s.metric][name] = (s.mean, s.spread or 0.)
    return {
        metric: {name: _of_summaries(some, axis, as_words)
                 for name, some in names.items()}
        for metric, names in list(along.items())[:2 * MOST]
    }, dict(levels)


def size_lines(summaries: Sequence[Summary], system: str, data: str,
               plain: str | None) -> dict[str, dict[str, Line]]:
    """{metric: {number of masks: line over sizes}} of one system.

    The baseline's line is that of 0 masks.
    """
    along = defaultdict(lambda: defaultdict(list))
    for s in summaries:
        if s.data == data and s.system in (system, plain) and 'size' in s.place:
            masks = '0' if s.system == plain else str(s.place.get('masks', 'all'))
            along[s.metric][masks].append(s)
    return {
        metric: {masks: _of_summaries(some, 'size') for masks, some in lines.items()}
        for metric, lines in list(along.items())[:2 * MOST]
    }


def both_losses(grid: Grid, known: Sequence[Outcome]) -> list[Summary]:
    """The mean of class and causally-focus loss, of runs that measure both."""
    measured = [
        replace(o, metrics={BOTH: (o.metrics[NLL] + 1 - o.metrics[FOCUS]) / 2})
        for o in known if {NLL, FOCUS} <= (o.metrics or {}).keys()
    ]
    return summarise(replace(grid, metrics={BOTH: (BOTH, 1.)}), measured)


def focus_losses(known: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """{data set: {model: mean causally-focus loss over seeds, on the test split}}."""
    values = defaultdict(lambda: defaultdict(list))
    for outcome in known:
        if FOCUS in (outcome.metrics or ()):
            cell = outcome.cell
            name = _named(cell.system, None, cell.axes, known)
            values[cell.data][name].append(1 - outcome.metrics[FOCUS])
    return {
        data: {name: mean(some) for name, some in models.items()}
        for data, models in values.items()
    }


def condition_lines(known: Sequence[Outcome]) -> dict[str, dict[str, Line]]:
    """{kind: {model: accuracy over conditions}} of runs that measure them."""
    panels = {}
    for kind, order in CONDITIONS.items():
        values = defaultdict(lambda: defaultdict(list))  # model: condition: values
        for outcome in known:
            cell = outcome.cell
            for key, value in (outcome.metrics or {}).items():
                prefix, _, condition = key.partition('/')
                if prefix == kind and (condition in order or _is_number(condition)):
                    name = _named(cell.system, cell.data, cell.axes, known)
                    at = condition if order else float(condition)
                    values[name][at].append(value)
        if values:
            panels[kind] = {
                name: _line(points, key=order.index if order else None)
                for name, points in values.items()
            }
    return panels


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _named(system: str, data: str | None, place: dict, among: Sequence) -> str:
    """A legend's name: the system, and what tells it from the others."""
    several = len({getattr(one, 'cell', one).data for one in among}) > 1
    parts = [system, *([data] if several and data else []),
             *(f'{axis} {label}' for axis, label in place.items() if axis != 'seed')]
    return ', '.join(parts)


def _of_summaries(some: list[Summary], axis: str, as_words: bool = False) -> Line:
    labels = [s.place[axis] for s in some]
    return Line(list(map(str, labels)) if as_words else labels, [s.mean for s in some],
                [s.spread or 0. for s in some])


def _line(points: dict, key: Callable | None = None) -> Line:
    """Mean and standard deviation of what each x has, in the order of a key."""
    order = sorted(points, key=key)
    return Line(order, [mean(points[x]) for x in order],
                [stdev(points[x]) if len(points[x]) > 1 else 0. for x in order])
