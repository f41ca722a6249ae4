"""The layout of the drawing figure: an image, buttons with keys, and texts."""
from collections.abc import Callable, Collection

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.widgets import Button

from .figure_text import figure_text

SIZE = (11.6, 7)  # inches, large enough for all texts
# (heading, [(label, keys, name of the action)])
BUTTONS = (
    ('Draw with', [('Lasso', 'l', 'lasso'), ('Polygon', 'p', 'polygon'),
                   ('Box', 'b', 'box')]),
    ('to', [('Add', 'a', 'add'), ('Erase', 'e', 'erase')]),
    ('Mend', [('Undo', 'z ctrl+z', 'undo'), ('Redo', 'y ctrl+y', 'redo'),
              ('Clear', 'c', 'clear')]),
    ('Go on', [('Save, next', 's enter', 'save'), ('Skip', 'k', 'skip')]),
    ('Browse', [('Previous', 'left', 'previous'), ('Next', 'right', 'next'),
                     ('Quit', 'q', 'quit')]),
)
SYMBOLS = {'left': '←', 'right': '→'}
# texts, by name: position, font size, and other options
TEXTS = dict(
    title=(0.02, 0.945, dict(size=16, weight='bold')),
    name=(0.16, 0.945, dict(size=11)),
    counts=(0.98, 0.945, dict(size=11, color='#7b8794', ha='right')),
    message=(0.02, 0.025, dict(size=11, color='#b44d12')),
    help=(0.78, 0.178, dict(size=9, va='top')),
    state=(0.78, 0.025, dict(size=9, va='bottom')),
)
INK, FAINT, PAPER = '#1f2933', '#7b8794', '#f5f7fa'
IDLE, HOVER, CHOSEN = '#e4e7eb', '#cbd2d9', '#ffb648'
ROOM = 1.03  # visible area relative to the image: outlines may exceed the image


class Panel:
    """Lays out an empty figure, and calls ``act`` for each button and key.

    Attributes:
        axes: Axes of the image, in pixels, with the image's corner at (0, 0).
        image: The displayed image.
        texts: {name in ``TEXTS``: text}.
        buttons: {name of the action: button}.

    Args:
        figure: An empty figure with its canvas.
        act: Called with an action's name.
    """

    def __init__(self, figure: Figure, act: Callable[[str], None]):
        self.figure = figure
        self.act = act
        self.size = (1, 1)
        figure.set_facecolor(PAPER)
        self.axes = figure.add_axes((0.02, 0.065, 0.74, 0.85))
        self.axes.set_axis_off()
        self.image = self.axes.imshow(np.zeros((1, 1, 3), np.uint8))
        self.texts = {
            name: figure.text(x, y, '', **{'color': INK, **style})
            for name, (x, y, style) in TEXTS.items()
        }
        self.buttons = {}
        top = 0.885
        for heading, buttons in BUTTONS:
            figure.text(0.78, top, heading, size=9, color=FAINT)
            for label, keys, action in buttons:
                top -= 0.043
                axes = figure.add_axes((0.78, top, 0.2, 0.037))
                self.buttons[action] = self._button(axes, label, keys, action)
            top -= 0.032
        canvas = figure.canvas
        # disable matplotlib's keys: s saves the figure, l makes axes logarithmic
        if canvas.manager is not None and canvas.manager.key_press_handler_id:
            canvas.mpl_disconnect(canvas.manager.key_press_handler_id)
        canvas.mpl_connect('key_press_event', self._press)
        canvas.mpl_connect('resize_event', self._fit)

    def write(self, **texts: str) -> None:
        """Set texts by their names in ``TEXTS``."""
        for name, text in texts.items():
            self.texts[name].set_text(figure_text(text))
        self.figure.canvas.draw_idle()

    def mark(self, actions: Collection[str]) -> None:
        """Highlight the buttons of the selected actions."""
        for action, button in self.buttons.items():
            button.color, button.hovercolor = (
                (CHOSEN, CHOSEN) if action in actions else (IDLE, HOVER))
            button.ax.set_facecolor(button.color)
        self.figure.canvas.draw_idle()

    def show(self, pixels: np.ndarray, size: tuple[int, int]) -> None:
        """Show the (scaled) pixels of an image of full (H, W) ``size``."""
        self.image.set_data(pixels)
        self.image.set_extent((0, size[1], size[0], 0))
        self.figure.canvas.draw_idle()

    def fit(self, size: tuple[int, int]) -> None:
        """Set the view to a whole image of this (H, W), with a margin."""
        self.size = size
        self._fit()
        if self.figure.canvas.toolbar is not None:
            self.figure.canvas.toolbar.update()  # reset the zoom of the last image

    def _fit(self, event=None) -> None:
        height, width = self.size
        slot = self.axes.get_position(original=True).size * self.figure.bbox.size
        across, down = slot * ROOM * max(width / slot[0], height / slot[1]) / 2
        self.axes.set(xlim=(width / 2 - across, width / 2 + across),
                      ylim=(height / 2 + down, height / 2 - down))

    def _button(self, axes: Axes, label: str, keys: str, action: str) -> Button:
        button = Button(axes, '', color=IDLE, hovercolor=HOVER)
        axes.spines[:].set_visible(False)
        axes.text(0.05, 0.45, label, color=INK, size=10, va='center')
        shown = ' '.join(SYMBOLS.get(key, key) for key in keys.split())
        axes.text(0.95, 0.45, shown, color=FAINT, size=9, va='center', ha='right')
        button.on_clicked(lambda event: self.act(action))
        return button

    def _press(self, event) -> None:
        for _, buttons in BUTTONS:
            for _, keys, action in buttons:
                if event.key in keys.split():
                    self.act(action)
