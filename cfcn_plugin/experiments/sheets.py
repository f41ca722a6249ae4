"""Sheets with the saliency maps of the grid's models."""
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

from matplotlib.figure import Figure
from torch import nn

from cfcn_plugin.mm.config import Config
from cfcn_plugin.mm.visualization.gallery import (
    load_model,
    load_test_images,
    predict_grad_cam,
    predict_saliency,
)
from cfcn_plugin.visualization.heatmaps import DPI, class_map_columns, heatmap_sheet
from cfcn_plugin.visualization.image_panel import ImagePanel, vary_conditions

from .outcome import Outcome

IMAGES = 5
MOST = 7  # columns of models


class ReportFigure(NamedTuple):
    """A figure of the report: file name without ending, title, caption, PNG."""
    name: str
    title: str
    caption: str
    png: bytes


def render(name: str, title: str, caption: str, figure: Figure) -> ReportFigure:
    """A figure as a PNG for the report."""
    stream = BytesIO()
    figure.savefig(stream, dpi=DPI, format='png')
    return ReportFigure(name, title, caption, stream.getvalue())


def render_sheets(known: Sequence[Outcome]) -> Iterator[ReportFigure]:
    """Sheets of saliency maps: by method, by alpha, by class, and by condition.

    Each method is represented by its model of the first finished seed, at the last
    place in the grid. The sheet by alpha has one model per value of alpha.
    """
    for data in dict.fromkeys(o.cell.data for o in known):
        done = [o for o in known if o.cell.data == data and o.status == 'done']
        if done:
            yield from _of_data(data, done)


def _of_data(data: str, done: list[Outcome]) -> Iterator[ReportFigure]:
    last = _select_last(done)[:MOST]
    images, classes = load_test_images(Config.fromfile(last[0].config), IMAGES)
    models = {_name(o): _load(o) for o in last}

    def draw(name: str, title: str, caption: str, columns: dict,
             rows: Sequence[ImagePanel] = images) -> ReportFigure:
        figure = heatmap_sheet(rows, columns, classes)
        return render(f'{name}_{data}', f'{title}: {data}', caption, figure)

    maps = {name: predict_saliency(model, images) for name, model in models.items()}
    yield draw(
        'heatmaps', 'Saliency maps of the methods (figures 4 and 5)',
        'The trained map: the map of the predicted class where maps are classes, else '
        'the mean over channels. Guidance trained these maps to lie inside the mask, '
        'so the maps are no independent evidence.', maps)
    yield draw(
        'grad-cam', 'Grad-CAM of the same models',
        'Of the predicted class. Training did not use Grad-CAM.',
        {name: predict_grad_cam(model, images) for name, model in models.items()})
    for outcome, (name, own) in zip(last, maps.items()):
        if own.class_maps is not None:
            yield draw(
                f'class-maps_{outcome.cell.method}',
                f'Class maps of {outcome.cell.method} (figure 11)',
                'One forward pass: the predicted class has the brightest map in '
                'the mean.', class_map_columns(name, own, classes))
    for method, along in _over_alpha(done).items():
        yield draw(
            f'alpha_{method}', f'{method} as alpha grows (figure 7)',
            'The trained map. Too large an alpha reduces activations and accuracy.',
            {f'alpha {o.cell.axes["alpha"]}': predict_saliency(_load(o), images)
             for o in along[:MOST]})
    masked = [p for p in images if p.mask is not None]
    if masked:
        rows = vary_conditions(masked[0], masked[1:3])
        label = ', '.join(str(classes[i]) for i in sorted(masked[0].labels)) or '?'
        yield draw(
            'conditions', 'Other light, other backgrounds (figures 9 and 15)',
            f'One image of the test split, a {label}. The object is cut out along '
            'its mask.',
            {name: predict_saliency(model, rows) for name, model in models.items()},
            rows)


def _over_alpha(done: list[Outcome]) -> dict[str, list[Outcome]]:
    """{method: runs that differ only in alpha}."""

    def place(outcome: Outcome) -> tuple:
        return outcome.cell.method, {**outcome.cell.axes, 'alpha': None}

    done = [o for o in done if 'alpha' in o.cell.axes]
    along = {last.cell.method: [o for o in done if place(o) == place(last)]
             for last in _select_last(done)}
    return {method: some for method, some in along.items() if len(some) > 1}


def _select_last(done: list[Outcome]) -> list[Outcome]:
    """One model per method: of the first finished seed, the last in grid order."""
    chosen = {}
    for outcome in done:
        first = chosen.setdefault(outcome.cell.method, outcome)
        if first.cell.axes.get('seed') == outcome.cell.axes.get('seed'):
            chosen[outcome.cell.method] = outcome
    return list(chosen.values())


def _load(outcome: Outcome) -> nn.Module:
    return load_model(Config.fromfile(outcome.config), outcome.checkpoint)


def _name(outcome: Outcome) -> str:
    place = [f'{axis} {label}' for axis, label in outcome.cell.axes.items()
             if axis != 'seed']
    return '\n'.join([outcome.cell.method, ', '.join(place)]).strip()
