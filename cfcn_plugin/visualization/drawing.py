"""The paper's annotation tool for outlining objects (section 3.2, figure 2)."""
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
    'lasso': 'Hold the left button and draw\naround the object.',
    'polygon': 'Click each corner, then the\nfirst corner again.\n'
               'Esc begins anew.',
    'box': 'Hold the left button and drag\nfrom corner to corner.',
}
LINE = dict(color='#00e5ff', linewidth=2)
LONGEST = 1000  # pixels of an image's longest side on the screen
NOTHING = np.full((1, 1, 3), 235, np.uint8)


class MaskCanvas:
    """A figure for drawing masks, one image after the other.

    Images are scaled to at most 1000 pixels for display; small images are enlarged by
    a whole number. Masks have the image's full size. An unsaved mask stays in memory
    with its history when another image is opened.

    Args:
        figure: An empty figure with its canvas.
        queue: The images.
        quit: Called when the user quits.
    """

    def __init__(self,
                 figure: Figure,
                 queue: AnnotationQueue,
                 quit: Callable[[], None] = lambda: None):
        self.queue = queue
        self._quit = quit
        self._histories: dict[str, MaskHistory] = {}
        self._to_confirm = None  # the action that waits for confirmation by repetition
        self._selector = None
        self.panel = Panel(figure, self.act)
        self.tool, self.value = 'lasso', 1
        self._show_choice()
        first = queue.next_pending()
        self.open_image(0 if first is None else first)
        if first is None:
            self._write('All images are done. Open any image, or quit.')

    @property
    def name(self) -> str:
        """The name of the current image."""
        return self.queue.names[self.index]

    @property
    def history(self) -> MaskHistory | None:
        """The current image's mask at full size; None if the image cannot be read."""
        return self._histories.get(self.name)

    @property
    def unsaved(self) -> list[str]:
        """Images with unsaved changes of the mask."""
        return [name for name, history in self._histories.items()
                if history.is_changed]

    # ---- user actions ----------------------------------------------------------

    def act(self, action: str) -> None:
        """Run the action of a button or key, by its name in ``BUTTONS``."""
        confirmed, self._to_confirm = self._to_confirm == action, None
        if action in HELP:
            self.tool = action
            self._restart_tool()
            self._show_choice()
        elif action in ('add', 'erase'):
            self.value = int(action == 'add')
            self._show_choice()
        elif action in ('undo', 'redo', 'clear'):
            if self.history is not None and not getattr(self.history, action)():
                self._write(f'Nothing to {action}.')
            else:
                self._show_mask()
        elif action in ('previous', 'next'):
            step = 1 if action == 'next' else -1
            self.open_image((self.index + step) % len(self.queue))
        elif action == 'skip':
            self.queue.skip(self.name)
            self._open_next('Skipped.')
        elif action == 'save':
            self._save(confirmed)
        elif confirmed or not self.unsaved:
            self._quit()
        else:
            self._confirm('quit', f'{len(self.unsaved)} drawn and not saved, such as '
                          f'{self.unsaved[0]}. Press q again to quit without saving.')

    def open_image(self, index: int) -> None:
        """Show an image and its mask."""
        self.index = index
        problem = ''
        try:
            self._load()
        except (MaskError, OSError) as error:
            self._histories.pop(self.name, None)
            problem = f'No mask can be drawn: {error}'
        self.panel.fit((1, 1) if self.history is None else self.history.mask.shape)
        self._restart_tool()
        self._show_mask(problem)

    # ---- inside ------------------------------------------------------------------

    def _load(self) -> None:
        image = load_image(self.queue.images / self.name)
        self._image = scale_to_fit(image, LONGEST)
        if self.name not in self._histories:
            mask = self.queue.load_mask(self.name, image.shape[:2])
            self._histories[self.name] = MaskHistory(mask)
        # drop other unchanged masks: their files have the same content
        self._histories = {name: history for name, history in self._histories.items()
                           if name == self.name or history.is_changed}

    def _fill(self, vertices) -> None:
        if self.history is None:
            return
        self._to_confirm = None
        changed = self.history.fill(vertices, self.value)
        self._restart_tool()
        self._show_mask('' if changed else 'The outline encloses no pixel to '
                        f'{"add" if self.value else "erase"}.')

    def _save(self, confirmed: bool) -> None:
        if self.history is None or not self.history.mask.any():
            self._write('Nothing is drawn yet. To leave this image without a mask, '
                        'skip it (k).')
        elif self.queue.has_earlier_mask(self.name) and not (
                confirmed or self.queue.redo):
            self._confirm('save', 'This image has a mask from an earlier session. '
                          'Press s again to replace the mask.')
        else:
            try:
                self.queue.save(self.name, self.history.mask, replace=confirmed)
            except OSError as error:
                self._write(f'Not saved: {error}')
            else:
                self.history.mark_saved()
                self._open_next('Saved.')

    def _open_next(self, done: str) -> None:
        following = self.queue.next_pending(self.index)
        if following is not None:
            self.open_image(following)
        else:
            self._show_mask(
                f'{done} All images are done. q quits.')

    # ---- display -------------------------------------------------------------------

    def _write(self, message: str) -> None:
        self.panel.write(message=message)

    def _confirm(self, action: str, message: str) -> None:
        """Ask the user to confirm an action by repeating the action."""
        self._to_confirm = action
        self._write(message)

    def _show_mask(self, message: str = '') -> None:
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
            message=message)

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
        """Create a new selector: the old selector may contain an unfinished polygon."""
        if self._selector is not None:
            self._selector.disconnect_events()
            for artist in self._selector.artists:
                artist.remove()
        axes = self.panel.axes
        if self.tool == 'lasso':
            self._selector = LassoSelector(axes, self._fill, props=LINE, button=1)
        elif self.tool == 'polygon':
            self._selector = PolygonSelector(
                axes, self._fill, useblit=True, props=LINE)
        else:
            self._selector = RectangleSelector(
                axes, self._apply_box, useblit=True, button=1,
                props=dict(edgecolor=LINE['color'], linewidth=2, fill=False))

    def _apply_box(self, press, release) -> None:
        left, right, top, bottom = self._selector.extents
        self._fill([(left, top), (right, top), (right, bottom), (left, bottom)])
