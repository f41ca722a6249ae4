"""The report: one HTML file with embedded figures."""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path

from pandas import DataFrame

from cfcn_plugin.printable import printable
from cfcn_plugin.visualization import charts

from .figures import (
    add_both_losses,
    axis_points,
    condition_points,
    convergence_points,
    focus_losses,
    size_points,
)
from .grid import Grid
from .methods import describe_methods
from .outcome import Outcome
from .page import render_page
from .sheets import ReportFigure, render, render_sheets
from .table import format_comparison, format_estimate, metrics_of, summarise, table_rows


def write_report(
    grid: Grid, known: Sequence[Outcome], work_dir: Path, command: str = ''
) -> Path:
    """Write ``report.html``, and write its figures also to ``figures/``.

    Args:
        grid: The grid.
        known: The outcomes of all cells.
        work_dir: The output folder.
        command: The command that made the report; shown in the report.
    """
    grid = replace(grid, metrics=metrics_of(grid, known))
    summary = summarise(grid, known)
    figures, not_drawn = [], ''
    if not summary.empty:
        figures += _charts(grid, known, summary)
        try:
            figures.extend(render_sheets(known))  # keeps the figures before an error
        except (FileNotFoundError, TypeError, ValueError) as error:
            # write the report with numbers alone, e.g. if checkpoints are deleted
            not_drawn = str(error)
    folder = work_dir / 'figures'
    for figure in figures:
        folder.mkdir(exist_ok=True)
        (folder / f'{figure.name}.png').write_bytes(figure.png)
    names = summary.index.names[:-1]
    file = work_dir / 'report.html'
    file.write_text(
        render_page(
            'report.html',
            title=grid.name,
            grid=grid,
            known=known,
            command=printable(command),
            figures=figures,
            not_drawn=printable(not_drawn),
            hours=sum(o.seconds for o in known) / 3600,
            date=datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z'),
            versions=_versions(),
            methods=describe_methods(grid, known),
            lines=[] if summary.empty else list(table_rows(summary)),
            metrics=list(grid.metrics),
            names=['data', 'method', *names[2:]],
            format_estimate=format_estimate,
            format_comparison=format_comparison,
        ),
        encoding='utf-8',
    )
    return file


def _versions() -> str:
    names = ('cfcn_plugin', 'torch', 'timm', 'mmengine', 'mmpretrain')
    return ', '.join(
        [
            f'Python {platform.python_version()}',
            *(f'{name} {import_module(name).__version__}' for name in names),
        ]
    )


def _charts(
    grid: Grid, known: Sequence[Outcome], summary: DataFrame
) -> Iterator[ReportFigure]:
    points = convergence_points(grid, known)
    if len(points):
        yield render(
            'convergence',
            'Convergence (figures 6 and 12)',
            'Means over seeds; the band is the standard deviation. Metrics are of '
            'the validation split, at the validation interval of the config.',
            charts.plot_convergence(points),
        )
    for axis in summary.index.names[2:-1]:
        if axis == 'size' or len(summary.index.unique(axis).drop('', 'ignore')) < 2:
            continue
        yield render(
            f'along_{axis}',
            f'Over {axis}' + (' (figure 7)' if axis == 'alpha' else ''),
            'Mean and standard deviation over seeds; dashed: methods that do not vary '
            f'by {axis}.',
            charts.plot_along_axis(axis_points(summary, axis), axis),
        )
    if 'size' in summary.index.names:
        yield from _size_figures(grid, summarise(*add_both_losses(grid, known)))
    points = condition_points(grid, known)
    if len(points):
        yield render(
            'conditions',
            'Accuracy on other backgrounds and in other light (figures 9 and 15)',
            'Mean and standard deviation over seeds, %. The accuracy '
            'without the object is the accuracy from the background alone.',
            charts.plot_along_axis(points, ''),
        )
    losses = focus_losses(grid, known)
    if (losses.count(axis=1) > 2).any():  # two bars are 0 and 1, whatever they are
        yield render(
            'focus',
            'Causally-focus loss of all models (figure 13)',
            'Min-max normalised in each data set: 0 is the best model, 1 the worst. '
            'The labels of the bars are the mean losses. Guided models were trained on '
            'this loss. Its equation depends on the method (all maps, or the map of '
            'the true class): to compare methods, use the energy inside.',
            charts.plot_normalised_bars(losses, 'causally-focus loss, test split'),
        )


def _size_figures(grid: Grid, summary: DataFrame) -> Iterator[ReportFigure]:
    for method, data in summary.index.droplevel([*summary.index.names[2:]]).unique():
        baseline = grid.baseline_of(method)
        points = size_points(summary, method, data, baseline)
        if len(points) and method != baseline:
            yield render(
                f'size_{method}_{data}',
                f'Images and masks (figure 8): {method}, {data}',
                'Curves are a + b log(images) by least squares, from three sizes on. '
                'The mean of class and causally-focus loss requires the metrics '
                'Calibration and FocusMetric in the test.',
                charts.plot_learning_curves(points, 'training images'),
            )
