"""Figures of an experiment: numbers over epochs, alpha, images and masks."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLOURS = ('#4b5563', '#d9480f', '#1971c2', '#2b8a3e', '#9c36b5', '#f08c00', '#0b7285',
           '#a61e4d', '#5c940d', '#364fc7')
SIZE = 3.4, 2.9  # inches of a panel


@dataclass(frozen=True)
class Line:
    """Points with their spread.

    Attributes:
        x: (N,) numbers, or labels along a categorical axis.
        y: (N,).
        spread: (N,), 0 where it is not known.
    """
    x: Sequence
    y: Sequence[float]
    spread: Sequence[float]


def convergence(panels: dict[str, dict[str, Line]]) -> Figure:
    """A panel a quantity over epochs, a line a system with its spread as a band.

    The paper's figures 6 and 12.

    Args:
        panels: {quantity: {system: line}}.
    """
    figure, axes = _figure(len(panels))
    colours = _colours(panels.values())
    for axis, (title, lines) in zip(axes, panels.items()):
        for name, line in lines.items():
            x, y, spread = map(np.asarray, (line.x, line.y, line.spread))
            axis.plot(x, y, color=colours[name], label=name,
                      marker='o' if len(x) == 1 else None, markersize=4)
            axis.fill_between(x, y - spread, y + spread, color=colours[name],
                              alpha=0.18, linewidth=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        _finish(axis, title, 'epoch')
    return _with_legend(figure, axes)


def along_axis(panels: dict[str, dict[str, Line]], level: dict[str, dict[str, tuple]],
               name: str) -> Figure:
    """A panel a metric over one axis of the grid, with error bars (figure 7).

    Numbers lie on a logarithmic axis where they are positive and span a decade.

    Args:
        panels: {metric: {system: line}}.
        level: {metric: {system: (mean, spread)}} of systems that do not vary along
            the axis: drawn as a level with its band.
        name: The axis's.
    """
    figure, axes = _figure(len(panels))
    colours = _colours([*level.values(), *panels.values()])
    for axis, (title, lines) in zip(axes, panels.items()):
        for system, (mean, spread) in level.get(title, {}).items():
            axis.axhline(mean, color=colours[system], linestyle='--', label=system)
            axis.axhspan(mean - spread, mean + spread, color=colours[system],
                         alpha=0.12, linewidth=0)
        for system, line in lines.items():
            axis.errorbar(line.x, line.y, line.spread, color=colours[system],
                          marker='o', markersize=4, capsize=3, label=system)
        x = [x for line in lines.values() for x in line.x]
        _scale(axis, x)
        _finish(axis, title, name)
        if any(len(str(label)) > 6 for label in x):
            axis.tick_params(axis='x', rotation=25)
    return _with_legend(figure, axes)


def learning_curves(panels: dict[str, dict[str, Line]], name: str) -> Figure:
    """A panel a metric over training images, a fitted curve a number of masks.

    The paper's figure 8. The curve is a + b log(images), by least squares: two
    parameters, so that few sizes determine it; drawn from three sizes on.

    Args:
        panels: {metric: {number of masks: line}}.
        name: The x axis's.
    """
    figure, axes = _figure(len(panels))
    for axis, (title, lines) in zip(axes, panels.items()):
        shades = _shades(len(lines))
        for colour, (masks, line) in zip(shades, lines.items()):
            x = np.asarray(line.x, float)
            axis.errorbar(x, line.y, line.spread, color=colour, linestyle='none',
                          marker='o', markersize=4, capsize=3, label=f'masks: {masks}')
            if len(x) > 2:
                fine = np.geomspace(x.min(), x.max(), 50)
                axis.plot(fine, fitted_curve(x, line.y)(fine), color=colour)
        _scale(axis, [x for line in lines.values() for x in line.x])
        _finish(axis, title, name)
    return _with_legend(figure, axes)


def fitted_curve(x: Sequence[float], y: Sequence[float]):
    """a + b log(x) by least squares, a function of x."""
    slope, offset = np.polyfit(np.log(np.asarray(x, float)), y, 1)
    return lambda some: offset + slope * np.log(some)


def normalised_bars(values: dict[str, dict[str, float]], title: str) -> Figure:
    """A group of bars a data set, a bar a model, min-max normalised in each group.

    The paper's figure 13. The best of a group is 0 and the worst 1, so that nothing is
    said of how far they are apart: what was measured stands on the bars.

    Args:
        values: {data set: {model: value}}.
        title: Of the value.
    """
    models = list(dict.fromkeys(m for group in values.values() for m in group))
    colours = dict(zip(models, (*COLOURS, *_shades(len(models)))))
    width = 0.8 / len(models)
    figure = Figure(figsize=(3.5 + max(0.55 * len(models), 1.6) * len(values), 3.2),
                    layout='constrained')
    axis = figure.subplots()
    for place, group in enumerate(values.values()):
        for i, model in enumerate(models):
            if model not in group:
                continue
            at = place + (i - (len(models) - 1) / 2) * width
            height = min_max(group)[model]
            axis.bar(at, height, width * 0.92, color=colours[model],
                     label=model if place == 0 else None)
            axis.text(at, height + 0.02, f'{group[model]:.2f}', ha='center', size=7)
    axis.set_xticks(range(len(values)), list(values))
    axis.set_ylim(0, 1.12)
    axis.set_ylabel('0 best, 1 worst of the data set', size=8)
    _finish(axis, title, '')
    figure.legend(loc='outside right upper', frameon=False, fontsize=8)
    return figure


def min_max(group: dict[str, float]) -> dict[str, float]:
    """The smallest becomes 0, the largest 1; all 0 if they are the same."""
    low, high = min(group.values()), max(group.values())
    return {k: (v - low) / (high - low) if high > low else 0.
            for k, v in group.items()}


def _figure(panels: int) -> tuple[Figure, list[Axes]]:
    columns = min(panels, 3)
    rows = -(-panels // columns)
    figure = Figure(figsize=(SIZE[0] * columns, SIZE[1] * rows + 0.4),
                    layout='constrained')
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in axes[panels:]:
        axis.set_axis_off()
    return figure, axes[:panels]


def _finish(axis: Axes, title: str, x: str) -> None:
    axis.set_title(title, size=10)
    axis.set_xlabel(x, size=9)
    axis.tick_params(labelsize=8)
    axis.spines[['top', 'right']].set_visible(False)


def _with_legend(figure: Figure, axes: list[Axes]) -> Figure:
    named = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        named.update(zip(labels, handles))
    figure.legend(named.values(), named.keys(), loc='outside lower center',
                  ncols=min(len(named), 4), frameon=False, fontsize=8)
    return figure


def _scale(axis: Axes, x: list) -> None:
    numbers = [v for v in x if isinstance(v, int | float)]
    if not numbers or len(numbers) < len(x):
        return
    if min(numbers) > 0 and max(numbers) >= 10 * min(numbers):
        axis.set_xscale('log')
    axis.set_xticks(sorted(set(numbers)), [f'{v:g}' for v in sorted(set(numbers))])
    axis.minorticks_off()


def _colours(panels) -> dict[str, str]:
    names = list(dict.fromkeys(name for lines in panels for name in lines))
    return dict(zip(names, (*COLOURS, *_shades(len(names)))))


def _shades(count: int) -> list[tuple]:
    from matplotlib import colormaps
    return [colormaps['viridis'](v) for v in np.linspace(0, 0.85, count)]
