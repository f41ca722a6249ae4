"""Any name or label of a user can be drawn, and begins no formula."""

import os

import numpy as np
import pytest
import torch
from matplotlib.text import Text
from pandas import DataFrame

from cfcn_plugin.visualization.charts import (
    plot_along_axis,
    plot_convergence,
    plot_learning_curves,
    plot_normalised_bars,
)
from cfcn_plugin.visualization.contact_sheet import Entry, contact_sheet
from cfcn_plugin.visualization.figure_text import figure_text
from cfcn_plugin.visualization.heatmaps import (
    SaliencyMaps,
    heatmap_sheet,
    render_figure,
)
from cfcn_plugin.visualization.image_panel import ImagePanel

pytestmark = pytest.mark.filterwarnings('ignore:Glyph .* missing:UserWarning')
HOSTILE = [
    '$\\frac{$',
    '\\$a$',
    'a$b',
    '☀\ufe0f',
    '\x1b[2J',
    '\0',
    os.fsdecode(b'caf\xe9'),
]
PIXELS = np.zeros((6, 9, 3), np.uint8)


@pytest.mark.parametrize('name', ['$a_1$', '$\\frac{$', '\\$a$', 'a$b', '$$', '\\$\\$'])
def test_dollars_are_drawn_as_they_are(name):
    shown, math = Text(0, 0, figure_text(name))._preprocess_math(figure_text(name))
    assert shown == name and not math


def test_lines_stay_and_escapes_are_seen():
    assert figure_text('a\nb') == 'a\nb'
    assert figure_text('\x1b\u2028') == r'\x1b\u2028'


@pytest.mark.parametrize('name', HOSTILE)
def test_sheets_show_any_name_and_label(name, tmp_path):
    contact_sheet(tmp_path / 'sheet.png', [Entry(PIXELS, None, name, name)], name)
    maps = SaliencyMaps(np.ones((1, 6, 9)), np.array([0]))
    for labels in ((), (0,)):
        panel = ImagePanel(
            torch.zeros(3, 6, 9, dtype=torch.uint8), None, frozenset(labels), name
        )
        render_figure(heatmap_sheet([panel], {name: maps}, [name], name))


@pytest.mark.parametrize('name', ['$\\frac{$', os.fsdecode(b'caf\xe9')])
def test_charts_show_any_name_and_label(name):
    points = DataFrame(
        [dict(panel=name, name=name, x=x, mean=1.0, spread=1.0) for x in (1, 2, 30)]
    )
    words = points.assign(x=[name, f'{name}2', f'{name}3'])
    bars = DataFrame({name: [1.0, 2.0], 'b': [2.0, 3.0]}, index=[name, 'other'])
    for figure in (
        plot_convergence(points),
        plot_along_axis(points, name),
        plot_along_axis(words, name),
        plot_learning_curves(points, name),
        plot_normalised_bars(bars, name),
    ):
        render_figure(figure)
