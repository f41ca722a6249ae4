"""Which tab of the browser draws on which image."""

import time
from collections.abc import Callable

EXPIRES = 12.0  # seconds after a tab was last heard of; the page asks every 3


class Leases:
    """Each image is one tab's, until the tab leaves it or is silent.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self._held: dict[int, tuple[str, float]] = {}

    def take(self, index: int, tab: str, force: bool = False) -> bool:
        """Take an image for a tab, or keep it; False if it is another tab's."""
        if not force and self.is_others(index, tab):
            return False
        self._held[index] = tab, self.clock()
        return True

    def leave(self, tab: str, keep: int | None = None) -> None:
        """Give back the images of a tab, but for one."""
        self._held = {
            index: lease
            for index, lease in self._held.items()
            if lease[0] != tab or index == keep
        }

    def is_others(self, index: int, tab: str) -> bool:
        holder, heard = self._held.get(index, (tab, 0))
        return holder != tab and self.clock() - heard < EXPIRES
