"""The figures of a report as images."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from cfcn_plugin.experiments.grid import Cell
from cfcn_plugin.experiments.outcome import Outcome
from cfcn_plugin.experiments.sheets import ReportFigure, render_sheets


def png(size, colour):
    stream = BytesIO()
    Image.new('RGB', size, colour).save(stream, 'png')
    return stream.getvalue()


def test_the_rows_of_a_figure_stand_below_each_other_on_white():
    rows = [(png((4, 2), 'red'), 'right'), (png((3, 5), 'blue'), '')]
    whole = Image.open(BytesIO(ReportFigure('name', 'title', 'caption', rows).png))
    assert whole.size == (4, 7)
    shown = [whole.getpixel(place) for place in ((3, 1), (2, 2), (3, 2))]
    assert shown == [(255, 0, 0), (0, 0, 255), (255, 255, 255)]


def test_runs_that_are_not_done_have_no_sheet():
    cell = Cell('cnn', 'digits', Path('c.py'), {}, dict(seed=0))
    assert not list(render_sheets([Outcome(cell, Path('none'), 'failed')]))
