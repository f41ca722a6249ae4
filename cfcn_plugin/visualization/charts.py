"""Charts of an experiment: metrics over epochs, alpha, images and masks.

Points are a table with the columns ``panel``, ``name`` (of the line, in the legend),
``x`` (a number or a word), ``mean`` and ``spread`` (0 if unknown).
"""

from collections.abc import Callable

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pandas import DataFrame, Series
from pandas.api.types import is_numeric_dtype

from .figure_text import figure_text

COLOURS = (
    '#4b5563',
    '#d9480f',
    '#1971c2',
    '#2b8a3e',
    '#9c36b5',
    '#f08c00',
    '#0b7285',
    '#a61e4d',
    '#5c940d',
    '#364fc7',
)
SIZE = 3.4, 2.9  # inches of a panel


def plot_convergence(points: DataFrame) -> Figure:
    """One panel per quantity over epochs, one line per method, the spread as a band.

    The paper's figures 6 and 12.
    """

    def draw(axis: Axes, line: DataFrame, **style) -> None:
        marker = 'o' if len(line) == 1 else None
        axis.plot(line['x'], line['mean'], marker=marker, markersize=4, **style)
        axis.fill_between(
            line['x'], *_band(line), color=style['color'], alpha=0.18, linewidth=0
        )
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))

    return _panels(points, 'epoch', draw)


def plot_along_axis(points: DataFrame, name: str) -> Figure:
    """One panel per metric over one axis of the grid, with error bars (figure 7).

    The x axis is logarithmic if its numbers are positive and span a decade.

    Args:
        points: Points of a method that does not vary along the axis have no ``x``, and
            are drawn as a horizontal line with a band.
        name: Label of the x axis.
    """

    def draw(axis: Axes, line: DataFrame, **style) -> None:
        if line['x'].isna().all():
            axis.axhline(*line['mean'], linestyle='--', **style)
            axis.axhspan(
                *map(float, map(np.squeeze, _band(line))),
                color=style['color'],
                alpha=0.12,
                linewidth=0,
            )
        else:
            _errorbar(axis, line, **style)

    return _panels(points, name, draw, _set_scale)


def plot_learning_curves(points: DataFrame, name: str) -> Figure:
    """One panel per metric over training images, one fitted curve per number of masks.

    The paper's figure 8. The curve is a + b log(images), fitted by least squares. With
    only two parameters a few sizes determine the curve. At least three sizes are
    required.

    Args:
        points: The names of the lines are numbers of masks.
        name: Label of the x axis.
    """

    def draw(axis: Axes, line: DataFrame, **style) -> None:
        _errorbar(axis, line, linestyle='none', **style)
        x = line['x'].astype(float)
        if len(x) > 2:
            slope, offset = np.polyfit(np.log(x), line['mean'], 1)
            fine = np.geomspace(x.min(), x.max(), 50)
            axis.plot(fine, offset + slope * np.log(fine), color=style['color'])

    points = points.assign(name='masks: ' + points['name'])
    return _panels(points, name, draw, _set_scale, _shades)


def plot_normalised_bars(values: DataFrame, title: str) -> Figure:
    """One group of bars per data set, one bar per model, normalised in each group.

    The paper's figure 13. The best value of a group is drawn as 0 and the worst as 1,
    which hides the size of the difference. So each bar has its value as a label.

    Args:
        values: A row per data set, a column per model; missing if not measured.
        title: Name of the value.
    """
    groups, models = values.shape
    values = values.rename(index=figure_text, columns=figure_text)
    figure = Figure(
        figsize=(3.5 + max(0.55 * models, 1.6) * groups, 3.2), layout='constrained'
    )
    axis = figure.subplots()
    low, high = values.min(axis=1), values.max(axis=1)
    spread = (high - low).where(high > low, 1)  # equal values give 0
    values.sub(low, axis=0).div(spread, axis=0).plot.bar(
        ax=axis,
        width=0.8,
        rot=0,
        legend=False,
        edgecolor='white',
        color=_colours(models),
    )
    for bars, model in zip(axis.containers, values):
        axis.bar_label(
            bars,
            [f'{v:.2f}' if v == v else '' for v in values[model]],
            padding=2,
            size=7,
        )
    axis.set_ylim(0, 1.12)
    axis.set_ylabel('0 best, 1 worst of the data set', size=8)
    _finish(axis, figure_text(title), '')
    figure.legend(loc='outside right upper', frameon=False, fontsize=8)
    return figure


def _panels(
    points: DataFrame,
    x: str,
    draw: Callable,
    finish: Callable | None = None,
    colours: Callable | None = None,
) -> Figure:
    """A figure of all panels, and its legend.

    Args:
        points: Points of all lines.
        x: Label of the x axis.
        draw: Draws a line into axes, with its label and colour.
        finish: Called with the axes of a panel and its x without missing values.
        colours: Called with a number, returns a list of as many colours.
    """
    points = points.map(lambda v: figure_text(v) if isinstance(v, str) else v)
    panels = list(points.groupby('panel', sort=False))
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(
        figsize=(SIZE[0] * columns, SIZE[1] * rows + 0.4), layout='constrained'
    )
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    names = points['name'].unique()
    colour_of = dict(zip(names, (colours or _colours)(len(names))))
    labelled = {}
    for axis in axes[len(panels) :]:
        axis.remove()
    for axis, (title, lines) in zip(axes, panels):
        for name, line in lines.groupby('name', sort=False):
            draw(axis, line, label=name, color=colour_of[name])
        if finish is not None:
            finish(axis, lines['x'].dropna())
        _finish(axis, title, x)
        handles, labels = axis.get_legend_handles_labels()
        labelled.update(zip(labels, handles))
    figure.legend(
        labelled.values(),
        labelled.keys(),
        loc='outside lower center',
        ncols=min(len(labelled), 4),
        frameon=False,
        fontsize=8,
    )
    return figure


def _band(line: DataFrame) -> tuple[Series, Series]:
    return line['mean'] - line['spread'], line['mean'] + line['spread']


def _errorbar(axis: Axes, line: DataFrame, **style) -> None:
    axis.errorbar(
        line['x'],
        line['mean'],
        line['spread'],
        marker='o',
        markersize=4,
        capsize=3,
        **style,
    )


def _finish(axis: Axes, title: str, x: str) -> None:
    axis.set_title(title, size=10)
    axis.set_xlabel(figure_text(x), size=9)
    axis.tick_params(labelsize=8)
    axis.spines[['top', 'right']].set_visible(False)


def _set_scale(axis: Axes, x: Series) -> None:
    if any(len(str(label)) > 6 for label in x):
        axis.tick_params(axis='x', rotation=25)
    if not is_numeric_dtype(x.infer_objects()):
        return
    if x.min() > 0 and x.max() >= 10 * x.min():
        axis.set_xscale('log')
    numbers = sorted(set(x))
    axis.set_xticks(numbers, [f'{v:g}' for v in numbers])
    axis.minorticks_off()


def _colours(count: int) -> list:
    return [*COLOURS, *_shades(count)][:count]


def _shades(count: int) -> list:
    return [colormaps['viridis'](v) for v in np.linspace(0, 0.85, count)]
