"""The state of the images that the page draws on, and who may write what."""

import time
from collections.abc import Callable, Collection, Mapping

import numpy as np

from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks import MaskError
from cfcn_plugin.printable import printable

from .drafts import Draft, Drafts
from .image_store import ImageStore
from .leases import Leases
from .pace import Pace
from .runs import decode_runs, encode_runs

TAKEN, CHANGED, EARLIER = 'taken', 'changed', 'earlier'  # why nothing was written
MOST_STEPS = 2_000_000  # bytes; the page keeps to a fourth
Boxes = Callable[[str, tuple[int, int]], list[list[float]]]


class WriteRefused(Exception):
    """Nothing was written: a person must decide.

    Attributes:
        reason: ``'taken'``: another tab draws on this image; ``'changed'``: the mask's
            file changed since the page read it; ``'earlier'``: the mask is from an
            earlier session.
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class DrawingSession:
    """Opens, drafts, saves and skips the images of a queue, for the tabs of a page.

    An image is one tab's while that tab shows it. A mask is written upon the revision
    that was read: what another tab or program wrote is never replaced unasked.

    Args:
        queue: The images and their masks.
        config: The line for a config that reads the masks.
        boxes: Gives boxes [x0, y0, x1, y1, label] to begin with, by the image's name
            and (H, W). None: no boxes.
        captions: A text to show with an image, by the image's name.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        queue: AnnotationQueue,
        config: str = '',
        boxes: Boxes | None = None,
        captions: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.queue = queue
        self.config = config
        self.boxes = boxes
        self.captions = captions or {}
        self.clock = clock
        self.images = ImageStore(queue.images)
        self.drafts = Drafts(queue.masks)
        self.leases = Leases(clock)
        self.pace = Pace()
        self._drafted = set(self.drafts.names(queue.names))

    # ---- what the page shows ---------------------------------------------------------

    def overview(self) -> dict:
        """What stays the same in a session."""
        names = self.queue.names
        return dict(
            names=[printable(name) for name in names],
            captions=[printable(self._caption(name)) for name in names],
            classes=list(self.queue.classes),
            masks=str(self.queue.masks),
            config=self.config,
            has_boxes=self.boxes is not None,
        )

    def status(self, tab: str, index: int | None = None) -> dict:
        """What changes in a session; the tab is heard of, and keeps image ``index``."""
        self.leases.leave(tab, keep=index)
        mine = index is None or self.leases.take(index, tab)
        queue = self.queue
        states = ''.join(map(self._state, queue.names))
        left, pace = states.count('o'), self.pace.seconds()
        return dict(
            states=states,
            mine=mine,
            seconds_left=None if pace is None else pace * left,
            drafts=sorted(map(queue.names.index, self._drafted)),
        )

    def next_open(self, tab: str, after: int) -> int | None:
        """The next image that is neither finished nor another tab's."""
        index = after
        for _ in self.queue.names:
            index = self.queue.next_pending(index)
            if index is None or not self.leases.is_others(index, tab):
                return index
        return None

    def open(
        self, index: int, tab: str, force: bool = False
    ) -> tuple[dict, bytes, bytes]:
        """An image's facts, and the runs and steps of its draft, or the mask's runs.

        Raises:
            MaskError, OSError: The image or its mask cannot be read.
        """
        self.pace.start(self.clock())
        self.leases.leave(tab, keep=index)
        mine = self.leases.take(index, tab, force)
        name, queue = self.queue.names[index], self.queue
        shape = self.images.load(name).shape[:2]
        revision, draft = queue.revision(name), self.drafts.read(name)
        labels = queue.load_mask(name, shape)
        if draft is not None:
            try:
                labels = decode_runs(draft.runs, shape, self._highest)
                revision = draft.revision
            except MaskError:  # of other classes, or of another image of this name
                draft = None
        facts = dict(
            height=shape[0],
            width=shape[1],
            revision=revision,
            mine=mine,
            draft=draft is not None,
            earlier=self._is_earlier(name),
            orientation=self.images.orientation(name),
            boxes=self.boxes(name, shape) if self.boxes else [],
        )
        return facts, encode_runs(labels), draft.steps if draft else b''

    def peek(self, index: int) -> tuple[dict, bytes]:
        """Size and runs of an image's saved mask; the image stays whose it is."""
        name = self.queue.names[index]
        height, width = self.images.load(name).shape[:2]
        labels = self.queue.load_mask(name, (height, width))
        return dict(height=height, width=width), encode_runs(labels)

    # ---- what the page writes --------------------------------------------------------

    def draft(
        self, index: int, tab: str, draft: Draft, agreed: Collection[str] = ()
    ) -> None:
        """Keep what is drawn and not saved yet.

        Raises:
            WriteRefused: The image is another tab's.
            MaskError: The runs are no mask of this image, or the steps are too long.
        """
        name = self._writable(index, tab, agreed)
        self._decode(name, draft.runs)
        if len(draft.steps) > MOST_STEPS:
            raise MaskError(
                f'expected at most {MOST_STEPS} bytes of steps, got {len(draft.steps)}'
            )
        self.drafts.write(name, draft)
        self._drafted.add(name)

    def save(
        self,
        index: int,
        tab: str,
        revision: str,
        runs: bytes,
        agreed: Collection[str] = (),
    ) -> str:
        """Write the mask; return its revision.

        Args:
            index: The image.
            tab: The tab that drew.
            revision: Of the mask that was drawn upon.
            runs: :func:`.encode_runs` of the labels.
            agreed: What a person decided to replace: reasons of ``WriteRefused``.

        Raises:
            WriteRefused: Another tab, program or session made what would be replaced.
            MaskError: The runs are no mask of this image, or have no causal pixel.
        """
        name = self._writable(index, tab, agreed)
        labels = self._decode(name, runs)
        if not labels.any():
            raise MaskError('nothing is drawn: an empty mask is not saved')
        if revision != self.queue.revision(name):
            if CHANGED not in agreed:
                raise WriteRefused(CHANGED)
        elif self._is_earlier(name) and EARLIER not in agreed:
            raise WriteRefused(EARLIER)
        is_new = self._state(name) == 'o'
        self.queue.save(name, labels, replace=True)
        self._forget_draft(name)
        if is_new:
            self.pace.finish(self.clock())
        return self.queue.revision(name)

    def drop_draft(self, index: int, tab: str) -> None:
        """Forget what is drawn and not saved."""
        self._forget_draft(self._writable(index, tab))

    def skip(self, index: int, tab: str) -> bool:
        """Skip an image, or take that back; return whether it is skipped now.

        Raises:
            WriteRefused: The image is another tab's.
        """
        name = self._writable(index, tab)
        if name in self.queue.skipped:
            self.queue.unskip(name)
            return False
        if self._state(name) == 'o':
            self.pace.finish(self.clock())
        self.queue.skip(name)
        return True

    # ---- inside ----------------------------------------------------------------------

    @property
    def _highest(self) -> int:
        return max(1, len(self.queue.classes))

    def _decode(self, name: str, runs: bytes) -> np.ndarray:
        return decode_runs(runs, self.images.load(name).shape[:2], self._highest)

    def _writable(self, index: int, tab: str, agreed: Collection[str] = ()) -> str:
        if not self.leases.take(index, tab, TAKEN in agreed):
            raise WriteRefused(TAKEN)
        return self.queue.names[index]

    def _is_earlier(self, name: str) -> bool:
        return self.queue.has_earlier_mask(name) and not self.queue.redo

    def _forget_draft(self, name: str) -> None:
        self.drafts.remove(name)
        self._drafted.discard(name)

    def _state(self, name: str) -> str:
        """A letter: open, skipped, done."""
        if name in self.queue.skipped:
            return 's'
        return 'd' if name in self.queue.done else 'o'

    def _caption(self, name: str) -> str:
        """The given text, or the folder of the image, which often is its class."""
        folder = name.rpartition('/')[0]
        return self.captions.get(name, folder.rpartition('/')[2])
