"""The paper's tool: a person draws around the object (section 3.2, figure 2)."""
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.widgets import LassoSelector, PolygonSelector, RectangleSelector

from cfcn_plugin.annotation.load_image import load_image
from cfcn_plugin.annotation.mask_history import MaskHistory
from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks.base import MaskError

from .drawing_panel import Panel
from .overlay import overlay_mask, scale_to_fit, shorten_name

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
    several times; masks have the image's full size. A mask that is not saved stays in
    memory with its history, also when another image is opened.

    Args:
        figure: An empty figure with its canvas.
        queue: The images.
        quit: Called when the person quits.
        longest: Longest side of an image on the screen, in pixels.
    """

    def __init__(self,
                 figure: Figure,
                 queue: AnnotationQueue,
                 quit: Callable[[], None] = lambda: None,
                 longest: int = 1000):
        self.queue = queue
        self.longest = longest
        self._quit = quit
        self._histories: dict[str, MaskHistory] = {}
        self._image = None  # (h, w, 3), as shown; None if it cannot be read
        self._to_confirm = None  # what must be pressed again to be done
        self._selector = None
        self.panel = Panel(figure, self.act)
        self.value = 1
        self.select_tool('lasso')
        first = queue.next_pending()
        self.open_image(0 if first is None else first)
        if first is None:
            self.show_message('All images are done. Look around, or quit.')

    @property
    def name(self) -> str:
        """The name of the image that is shown."""
        return self.queue.names[self.index]

    @property
    def history(self) -> MaskHistory | None:
        """The image's mask at full size; None where the image cannot be read."""
        return self._histories.get(self.name)

    @property
    def unsaved(self) -> list[str]:
        """Images whose mask was changed and not saved."""
        return [name for name, history in self._histories.items()
                if history.is_changed]

    # ---- what a person does ----------------------------------------------------

    def act(self, action: str) -> None:
        """Do what a button or key stands for, by its name in ``BUTTONS``."""
        to_confirm, self._to_confirm = self._to_confirm, None
        if action in HELP:
            self.select_tool(action)
        elif action in ('add', 'erase'):
            self.value = int(action == 'add')
            self._show_choice()
        elif action in ('undo', 'redo', 'clear'):
            if self.history is not None and not getattr(self.history, action)():
                self.show_message(f'Nothing to {action}.')
            else:
                self._show_mask()
        elif action in ('previous', 'next'):
            step = 1 if action == 'next' else -1
            self.open_image((self.index + step) % len(self.queue))
        elif action == 'skip':
            self.queue.skip(self.name)
            self._open_next('Skipped.')
        elif action == 'save':
            self._save(confirmed=to_confirm == ('save', self.name))
        elif action == 'quit':
            self._leave(confirmed=to_confirm == ('quit', None))

    def select_tool(self, tool: str) -> None:
        """Draw with ``'lasso'``, ``'polygon'`` or ``'box'``."""
        self.tool = tool
        self._restart_tool()
        self._show_choice()

    def open_image(self, index: int) -> None:
        """Show an image and its mask."""
        self.index = index
        problem = ''
        try:
            self._load()
        except (MaskError, OSError) as error:
            self._image = None
            self._histories.pop(self.name, None)
            problem = f'Nothing can be drawn here: {error}'
        self.panel.fit((1, 1) if self.history is None else self.history.mask.shape)
        self._restart_tool()
        self._show_mask()
        if problem:
            self.show_message(problem)

    def show_message(self, text: str) -> None:
        """Write a message under the image."""
        self.panel.write(message=text)

    # ---- inside ------------------------------------------------------------------

    def _load(self) -> None:
        image = load_image(self.queue.images / self.name)
        self._image = scale_to_fit(image, self.longest)
        if self.name not in self._histories:
            mask = self.queue.load_mask(self.name, image.shape[:2])
            self._histories[self.name] = MaskHistory(mask)
        for name in [n for n in self._histories if n != self.name]:
            if not self._histories[name].is_changed:
                del self._histories[name]  # the mask is in its file

    def _drawn(self, vertices) -> None:
        if self.history is None:
            return
        self._to_confirm = None
        changed = self.history.fill(vertices, self.value)
        self._restart_tool()
        self._show_mask()
        if not changed:
            self.show_message('That encloses nothing to '
                              f'{"add" if self.value else "erase"}.')

    def _save(self, confirmed: bool) -> None:
        if self.history is None or not self.history.mask.any():
            self.show_message('Nothing is drawn yet. To leave this image without a '
                              'mask, skip it (k).')
            return
        may_replace = confirmed or self.queue.redo
        if self.queue.has_earlier_mask(self.name) and not may_replace:
            self._to_confirm = 'save', self.name
            self.show_message('This image has a mask from an earlier session. '
                              'Press s once more to replace it.')
            return
        try:
            self.queue.save(self.name, self.history.mask, replace=confirmed)
        except OSError as error:
            self.show_message(f'Not saved: {error}')
            return
        self.history.mark_saved()
        self._open_next('Saved.')

    def _open_next(self, done: str) -> None:
        following = self.queue.next_pending(self.index)
        if following is None:
            self._show_mask()
            self.show_message(
                f'{done} That was the last one: all images are done. q quits.')
            return
        self.open_image(following)

    def _leave(self, confirmed: bool) -> None:
        if self.unsaved and not confirmed:
            self._to_confirm = 'quit', None
            self.show_message(
                f'{len(self.unsaved)} drawn and not saved, such as '
                f'{self.unsaved[0]}. Press q once more to leave without.')
            return
        self._quit()

    # ---- what a person sees --------------------------------------------------------

    def _show_mask(self) -> None:
        if self.history is None:
            self.panel.show(NOTHING, (1, 1))
        else:
            self.panel.show(
                overlay_mask(self._image, self.history.mask), self.history.mask.shape)
        skipped = self.queue.skipped.intersection(self.queue.names)
        counts = [f'{len(self.queue.done)} done', f'{len(skipped)} skipped']
        if self.unsaved:
            counts.append(f'{len(self.unsaved)} not saved')
        self.panel.write(
            title=f'{self.index + 1} of {len(self.queue)}',
            name=shorten_name(self.name, 60),
            counts='  ·  '.join(counts),
            state=self._image_state(),
            message='')

    def _image_state(self) -> str:
        if self.history is None:
            return 'cannot be read'
        height, width = self.history.mask.shape
        if self.history.is_changed:
            state = 'not saved'
        elif self.name in self.queue.done:
            state = 'saved'
        else:
            state = 'skipped' if self.name in self.queue.skipped else 'no mask yet'
        return (f'{width} × {height} pixels\n'
                f'causal: {100 * self.history.mask.mean():.1f} %\n{state}')

    def _show_choice(self) -> None:
        self.panel.mark((self.tool, 'add' if self.value else 'erase'))
        self.panel.write(help=HELP[self.tool], message='')

    def _restart_tool(self) -> None:
        """Make the tool's selector anew: an old one would keep half a polygon."""
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
