"""Sheets of where the grid's models look."""
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

from matplotlib.figure import Figure
from mmengine.config import Config

from cfcn_plugin.mm.visualization.gallery import (
    load_model,
    load_test_images,
    predict_grad_cam,
    predict_saliency,
)
from cfcn_plugin.visualization.heatmaps import DPI, class_map_columns, heatmap_sheet
from cfcn_plugin.visualization.image_panel import ImagePanel, vary_conditions

from .grid import Grid
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
    stream = BytesIO()
    figure.savefig(stream, dpi=DPI, format='png')
    return ReportFigure(name, title, caption, stream.getvalue())


def sheets(grid: Grid, known: Sequence[Outcome]) -> Iterator[ReportFigure]:
    """Heatmaps side by side, over alpha, class maps, and under other conditions.

    Of each method the models of the first finished seed are shown, at its last place
    in the grid; over alpha, at each of its values.
    """
    for data in dict.fromkeys(o.cell.data for o in known):
        done = [o for o in known if o.cell.data == data and o.status == 'done']
        if done:
            yield from _of_data(grid, data, done)


def _of_data(grid: Grid, data: str, done: list[Outcome]) -> Iterator[ReportFigure]:
    last = _last_places(done)
    images, classes = load_test_images(Config.fromfile(last[0].config), IMAGES)
    models = {_name(o): load_model(Config.fromfile(o.config), o.checkpoint)
              for o in last[:MOST]}

    def draw(name, title, caption, rows: Sequence[ImagePanel],
             columns: dict) -> ReportFigure:
        figure = heatmap_sheet(rows, columns, classes)
        return render(f'{name}_{data}', f'{title}: {data}', caption, figure)

    maps = {name: predict_saliency(model, images) for name, model in models.items()}
    yield draw(
        'heatmaps', 'Where the methods look (figures 4 and 5)',
        'The trained map: of the predicted class where maps are classes, else the mean '
        'over channels. It was trained to lie inside, so it is no proof.', images,
        maps)
    yield draw(
        'grad-cam', 'Grad-CAM of the same models',
        'Of the predicted class. Nobody trained on it.', images,
        {name: predict_grad_cam(model, images) for name, model in models.items()})
    for outcome in last[:MOST]:
        if maps[_name(outcome)].class_maps is not None:
            yield draw(
                f'class-maps_{outcome.cell.method}',
                f'Class maps of {outcome.cell.method} (figure 11)',
                'One forward pass: the answer is the class whose map is brightest in '
                'the mean.', images,
                class_map_columns(_name(outcome), maps[_name(outcome)], classes))
    yield from _over_alpha(done, images, draw)
    masked = [p for p in images if p.mask is not None]
    if masked:
        rows = vary_conditions(masked[0], masked[1:3])
        columns = {
            name: predict_saliency(model, rows) for name, model in models.items()}
        label = ', '.join(str(classes[i]) for i in sorted(masked[0].labels)) or '?'
        yield draw(
            'conditions', 'Other light, other backgrounds (figures 9 and 15)',
            f'One image of the test split, a {label}. The object is cut out along '
            'its mask.', rows, columns)


def _over_alpha(done: list[Outcome], images: list[ImagePanel],
                draw: Callable) -> Iterator[ReportFigure]:
    """At the last place along all other axes, of the first seed."""
    with_alpha = [o for o in done if 'alpha' in o.cell.axes]
    for last in _last_places(with_alpha):
        method, place = last.cell.method, {**last.cell.axes, 'alpha': None}
        mine = [o for o in with_alpha if o.cell.method == method
                and {**o.cell.axes, 'alpha': None} == place]
        if len(mine) > 1:
            columns = {
                f'alpha {o.cell.axes["alpha"]}': predict_saliency(
                    load_model(Config.fromfile(o.config), o.checkpoint), images)
                for o in mine[:MOST]
            }
            yield draw(
                f'alpha_{method}', f'{method} as alpha grows (figure 7)',
                'The trained map; beyond some alpha activations shrink and accuracy '
                'falls.', images, columns)


def _last_places(done: list[Outcome]) -> list[Outcome]:
    """A model a method: of its first finished seed, the last in the grid's order."""
    chosen = {}
    for outcome in done:
        cell = outcome.cell
        before = chosen.get(cell.method)
        if before is None or before.cell.axes.get('seed') == cell.axes.get('seed'):
            chosen[cell.method] = outcome
    return list(chosen.values())


def _name(outcome: Outcome) -> str:
    place = [f'{axis} {label}' for axis, label in outcome.cell.axes.items()
             if axis != 'seed']
    return '\n'.join([outcome.cell.method, ', '.join(place)]).strip()
