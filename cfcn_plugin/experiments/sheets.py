"""Sheets with the saliency maps of the grid's models."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from cfcn_plugin.guidance import CausalFocusLoss, ExplanationLoss, GAINLoss
from cfcn_plugin.masks.io.open_image import open_image
from cfcn_plugin.mm.config import Config
from cfcn_plugin.mm.visualization.gallery import (
    load_model,
    load_test_images,
    predict_grad_cam,
    predict_saliency,
)
from cfcn_plugin.visualization.heatmaps import (
    DPI,
    SaliencyMaps,
    class_map_columns,
    heatmap_sheet,
)
from cfcn_plugin.visualization.image_panel import ImagePanel, vary_conditions

from .outcome import Outcome

IMAGES = 5
MOST = 7  # columns of models
ON_MAP = (CausalFocusLoss,)
ON_GRAD_CAM = (ExplanationLoss, GAINLoss)


class ReportFigure(NamedTuple):
    """A figure of the report.

    Attributes:
        name: File name without ending.
        title, caption: Texts.
        rows: (PNG, verdict) from top to bottom: of a sheet of saliency maps a row for
            each image, ``'right'`` if all models predict it rightly, ``'wrong'`` if
            one does not, ``''`` if its classes are not known.
    """

    name: str
    title: str
    caption: str
    rows: list[tuple[bytes, str]]

    @property
    def png(self) -> bytes:
        """All rows in one image."""
        images = [open_image(BytesIO(png)) for png, _ in self.rows]
        whole = Image.new(
            'RGB',
            (max(one.width for one in images), sum(one.height for one in images)),
            'white',
        )
        top = 0
        for one in images:
            whole.paste(one, (0, top))
            top += one.height
        stream = BytesIO()
        whole.save(stream, 'png')
        return stream.getvalue()


def render(name: str, title: str, caption: str, figure: Figure) -> ReportFigure:
    """A figure as a PNG for the report."""
    return ReportFigure(name, title, caption, [(_png(figure), '')])


def _png(figure: Figure) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, dpi=DPI, format='png')
    return stream.getvalue()


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

    def draw(
        name: str,
        title: str,
        caption: str,
        columns: dict,
        rows: Sequence[ImagePanel] = images,
    ) -> ReportFigure:
        return ReportFigure(
            f'{name}_{data}',
            f'{title}: {data}',
            caption,
            [
                _row(
                    panel,
                    {key: maps.of_image(i) for key, maps in columns.items()},
                    classes,
                )
                for i, panel in enumerate(rows)
            ],
        )

    maps = {name: predict_saliency(model, images) for name, model in models.items()}
    cams = {name: predict_grad_cam(model, images) for name, model in models.items()}
    same = [
        name
        for name in maps
        if np.allclose(maps[name].saliency, cams[name].saliency, atol=1e-3)
    ]
    yield draw(
        'heatmaps',
        'Saliency maps of the methods (figures 4 and 5)',
        'The map of the feature hook: of the predicted class where maps are classes, '
        'else the mean over channels. '
        + _trained_on(models, ON_MAP)
        + _named('Grad-CAM gives the same pictures for {}. ', same),
        maps,
    )
    if len(same) < len(cams):
        yield draw(
            'grad-cam',
            'Grad-CAM of the same models',
            'Of the predicted class. '
            + _trained_on(models, ON_GRAD_CAM)
            + _named('{} would have the pictures of the saliency maps above. ', same),
            {name: cam for name, cam in cams.items() if name not in same},
        )
    for outcome, (name, own) in zip(last, maps.items()):
        if own.class_maps is not None:
            yield draw(
                f'class-maps_{outcome.cell.method}',
                f'Class maps of {outcome.cell.method} (figure 11)',
                'One forward pass: the predicted class has the brightest map in '
                'the mean.',
                class_map_columns(name, own, classes),
            )
    for method, along in _over_alpha(done).items():
        yield draw(
            f'alpha_{method}',
            f'{method} as alpha grows (figure 7)',
            'The map of the feature hook. Too large an alpha reduces activations and '
            'accuracy.',
            {
                f'alpha {o.cell.axes["alpha"]}': predict_saliency(_load(o), images)
                for o in along[:MOST]
            },
        )
    masked = [p for p in images if p.mask is not None]
    if masked:
        rows = vary_conditions(masked[0], masked[1:3])
        label = ', '.join(str(classes[i]) for i in sorted(masked[0].labels)) or '?'
        yield draw(
            'conditions',
            'Other light, other backgrounds (figures 9 and 15)',
            f'One image of the test split, a {label}. The object is cut out along '
            'its mask.',
            {name: predict_saliency(model, rows) for name, model in models.items()},
            rows,
        )


def _row(
    panel: ImagePanel, columns: dict[str, SaliencyMaps], classes: Sequence[str]
) -> tuple[bytes, str]:
    verdict = ''
    if panel.labels:
        right = all(maps.predicted[0] in panel.labels for maps in columns.values())
        verdict = 'right' if right else 'wrong'
    return _png(heatmap_sheet([panel], columns, classes)), verdict


def _trained_on(models: dict[str, nn.Module], methods: tuple[type, ...]) -> str:
    """Which models were trained on a kind of map, and which were not."""
    trained = [
        name
        for name, model in models.items()
        if model.guidance is not None
        and any(isinstance(one, methods) for one in model.guidance.modules())
    ]
    others = [name for name in models if name not in trained]
    return _named(
        'Training moved it into the mask in {}, where it is no independent evidence. ',
        trained,
    ) + _named('It was not trained in {}. ', others)


def _named(text: str, names: Sequence[str]) -> str:
    listed = ', '.join(' '.join(name.split()) for name in names)
    return text.format(listed) if names else ''


def _over_alpha(done: list[Outcome]) -> dict[str, list[Outcome]]:
    """{method: runs that differ only in alpha}."""

    def place(outcome: Outcome) -> tuple:
        return outcome.cell.method, {**outcome.cell.axes, 'alpha': None}

    done = [o for o in done if 'alpha' in o.cell.axes]
    along = {
        last.cell.method: [o for o in done if place(o) == place(last)]
        for last in _select_last(done)
    }
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
    place = [
        f'{axis} {label}' for axis, label in outcome.cell.axes.items() if axis != 'seed'
    ]
    return '\n'.join([outcome.cell.method, ', '.join(place)]).strip()
