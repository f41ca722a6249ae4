"""The paper's tool: a person draws around the object (section 3.2, figure 2)."""
from collections.abc import Callable

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.widgets import LassoSelector, PolygonSelector, RectangleSelector

from cfcn_plugin.annotation.mask_history import MaskHistory
from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks.base import MaskError

from .drawing_panel import Panel
from .overlay import fitted, shortened, tinted

HELP = {
    'lasso': 'Hold the left button and go\naround the object.',
    'polygon': 'Click corner after corner, then\nthe first one again.\n'
               'Esc begins anew.',
    'box': 'Hold the left button and pull\nfrom corner to corner.',
}
LINE = dict(color='#00e5ff', linewidth=2)
NOTHING = np.full((1, 1, 3), 235, np.uint8)


class MaskCanvas:
    """A figure in which masks are drawn, one image after the other.

    Images are shown with ``longest`` pixels at most, small ones with each pixel
    several times; masks have the image's full size. What is drawn stays in memory,
    with its history, until it is saved: going back and forth loses nothing.

    Args:
        figure: An empty figure with its canvas.
        work: The images.
        quit: Called when the person has had enough.
        longest: Longest side of what is shown, in pixels.
    """

    def __init__(self,
                 figure: Figure,
                 work: AnnotationQueue,
                 quit: Callable[[], None] = lambda: None,
                 longest: int = 1000):
        self.work = work
        self.longest = longest
        self._quit = quit
        self._drafts: dict[str, MaskHistory] = {}
        self._image = None  # (h, w, 3), as shown; None if it cannot be read
        self._asked = None  # what must be pressed again to be done
        self._selector = None
        self.panel = Panel(figure, self.act)
        self.value = 1
        self.choose('lasso')
        first = work.next_open()
        self.open(0 if first is None else first)
        if first is None:
            self.say('All images are done. Look around, or quit.')

    @property
    def name(self) -> str:
        """The image at hand."""
        return self.work.names[self.index]

    @property
    def edit(self) -> MaskHistory | None:
        """Its mask at full size; None where the image cannot be read."""
        return self._drafts.get(self.name)

    @property
    def unsaved(self) -> list[str]:
        """Images with a drawing that no file has."""
        return [name for name, edit in self._drafts.items() if edit.is_changed]

    # ---- what a person does ----------------------------------------------------

    def act(self, action: str) -> None:
        """Do what a button or key stands for, by its name in ``BUTTONS``."""
        asked, self._asked = self._asked, None
        if action in HELP:
            self.choose(action)
        elif action in ('add', 'erase'):
            self.value = int(action == 'add')
            self._show_choice()
        elif action in ('undo', 'redo', 'clear'):
            if self.edit is not None and not getattr(self.edit, action)():
                self.say(f'Nothing to {action}.')
            else:
                self._show_mask()
        elif action in ('previous', 'next'):
            step = 1 if action == 'next' else -1
            self.open((self.index + step) % len(self.work))
        elif action == 'skip':
            self.work.skip(self.name)
            self._go_on('Skipped.')
        elif action == 'save':
            self._save(sure=asked == ('save', self.name))
        elif action == 'quit':
            self._leave(sure=asked == ('quit', None))

    def choose(self, tool: str) -> None:
        """Draw with ``'lasso'``, ``'polygon'`` or ``'box'``."""
        self.tool = tool
        self._take_up()
        self._show_choice()

    def open(self, index: int) -> None:
        """Show an image and its mask."""
        self.index = index
        trouble = ''
        try:
            self._load()
        except (MaskError, OSError, cv2.error) as error:
            self._image = None
            self._drafts.pop(self.name, None)
            trouble = f'Nothing can be drawn here: {error}'
        self.panel.fit((1, 1) if self.edit is None else self.edit.mask.shape)
        self._take_up()
        self._show_mask()
        if trouble:
            self.say(trouble)

    def say(self, text: str) -> None:
        """Put a line under the image."""
        self.panel.write(message=text)

    # ---- inside ------------------------------------------------------------------

    def _load(self) -> None:
        image = self.work.image(self.name)
        self._image = fitted(image, self.longest)
        if self.name not in self._drafts:
            mask = self.work.mask(self.name, image.shape[:2])
            self._drafts[self.name] = MaskHistory(mask)
        for name in [n for n in self._drafts if n != self.name]:
            if not self._drafts[name].is_changed:
                del self._drafts[name]  # its file has it

    def _drawn(self, vertices) -> None:
        if self.edit is None:
            return
        self._asked = None
        changed = self.edit.fill(vertices, self.value)
        self._take_up()
        self._show_mask()
        if not changed:
            self.say('That encloses nothing to '
                     f'{"add" if self.value else "erase"}.')

    def _save(self, sure: bool) -> None:
        if self.edit is None or not self.edit.mask.any():
            self.say('Nothing is drawn yet. To leave this image without a mask, '
                     'skip it (k).')
            return
        if self.work.is_earlier(self.name) and not (sure or self.work.redo):
            self._asked = 'save', self.name
            self.say('This image has a mask from an earlier session. '
                     'Press s once more to replace it.')
            return
        try:
            self.work.save(self.name, self.edit.mask, replace=sure)
        except OSError as error:
            self.say(f'Not saved: {error}')
            return
        self.edit.saved()
        self._go_on('Saved.')

    def _go_on(self, done: str) -> None:
        following = self.work.next_open(self.index)
        if following is None:
            self._show_mask()
            self.say(f'{done} That was the last one: all images are done. q quits.')
            return
        self.open(following)

    def _leave(self, sure: bool) -> None:
        if self.unsaved and not sure:
            self._asked = 'quit', None
            self.say(f'{len(self.unsaved)} drawn and not saved, such as '
                     f'{self.unsaved[0]}. Press q once more to leave without.')
            return
        self._quit()

    # ---- what a person sees --------------------------------------------------------

    def _show_mask(self) -> None:
        if self.edit is None:
            self.panel.show(NOTHING, (1, 1))
        else:
            self.panel.show(
                tinted(self._image, self.edit.mask), self.edit.mask.shape)
        done = sum(map(self.work.is_done, self.work.names))
        skipped = sum(map(self.work.is_skipped, self.work.names))
        counts = [f'{done} done', f'{skipped} skipped']
        if self.unsaved:
            counts.append(f'{len(self.unsaved)} not saved')
        self.panel.write(
            title=f'{self.index + 1} of {len(self.work)}',
            name=shortened(self.name, 60),
            counts='  ·  '.join(counts),
            state=self._image_state(),
            message='')

    def _image_state(self) -> str:
        if self.edit is None:
            return 'cannot be read'
        height, width = self.edit.mask.shape
        if self.edit.is_changed:
            state = 'not saved'
        elif self.work.is_done(self.name):
            state = 'saved'
        else:
            state = 'skipped' if self.work.is_skipped(self.name) else 'no mask yet'
        return (f'{width} × {height} pixels\n'
                f'causal: {100 * self.edit.mask.mean():.1f} %\n{state}')

    def _show_choice(self) -> None:
        self.panel.mark((self.tool, 'add' if self.value else 'erase'))
        self.panel.write(help=HELP[self.tool], message='')

    def _take_up(self) -> None:
        """Begin anew with the tool: a selector keeps half a polygon otherwise."""
        if self._selector is not None:
            self._selector.disconnect_events()
            for artist in self._selector.artists:
                artist.remove()
        axes = self.panel.axes
        if self.tool == 'lasso':
            self._selector = LassoSelector(axes, self._drawn, props=LINE, button=1)
        elif self.tool == 'polygon':
            self._selector = PolygonSelector(
                axes, self._drawn, useblit=True, props=LINE)
        else:
            self._selector = RectangleSelector(
                axes, self._box_drawn, useblit=True, button=1,
                props=dict(edgecolor=LINE['color'], linewidth=2, fill=False))

    def _box_drawn(self, press, release) -> None:
        left, right, top, bottom = self._selector.extents
        self._drawn([(left, top), (right, top), (right, bottom), (left, bottom)])
