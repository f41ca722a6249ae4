"""The layout of the drawing figure."""
import itertools

import pytest
from matplotlib.backend_bases import ResizeEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cfcn_plugin.visualization.drawing_panel import BUTTONS, SIZE, Panel


@pytest.fixture
def panel():
    figure = Figure(figsize=SIZE)
    FigureCanvasAgg(figure)
    return Panel(figure, act=lambda action: None)


def scale(panel):
    """Screen pixels of an image's pixel, across and down."""
    (x0, y0), (x1, y1) = panel.axes.transData.transform([(0, 0), (1, 1)])
    return x1 - x0, y0 - y1


def test_no_key_stands_for_two_things():
    keys = [key for _, buttons in BUTTONS for _, keys, _ in buttons
            for key in keys.split()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize('size', [(40, 60), (900, 10), (1, 1)])
def test_pixels_are_square_and_the_whole_image_is_seen(panel, size):
    panel.fit(size)
    across, down = scale(panel)
    assert across == pytest.approx(down)
    (left, right), (bottom, top) = panel.axes.get_xlim(), panel.axes.get_ylim()
    assert left < 0 and right > size[1] and top < 0 and bottom > size[0]


def test_pixels_stay_square_in_a_window_of_another_shape(panel):
    panel.fit((40, 60))
    panel.figure.set_size_inches(4, 9)
    canvas = panel.figure.canvas
    canvas.callbacks.process('resize_event', ResizeEvent('resize_event', canvas))
    across, down = scale(panel)
    assert across == pytest.approx(down)


def test_words_and_buttons_do_not_lie_on_each_other(panel):
    panel.write(help='one\ntwo\nthree', state='one\ntwo\nthree', message='said')
    renderer = panel.figure.canvas.get_renderer()
    column = [panel.texts['help'], panel.texts['state'], *(
        button.ax for button in panel.buttons.values())]
    boxes = sorted((item.get_window_extent(renderer) for item in column),
                   key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
