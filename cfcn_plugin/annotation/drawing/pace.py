"""How long the rest of the images takes at the pace so far."""

import statistics
from collections import deque

RECENT = 30  # images that count
BREAK = 300.0  # seconds; a longer gap is a break


class Pace:
    """The median time between finished images."""

    def __init__(self):
        self._gaps = deque(maxlen=RECENT)
        self._last = None

    def start(self, now: float) -> None:
        """The first image is seen."""
        if self._last is None:
            self._last = now

    def finish(self, now: float) -> None:
        """An image is done or skipped."""
        if self._last is not None and now - self._last < BREAK:
            self._gaps.append(now - self._last)
        self._last = now

    def seconds(self) -> float | None:
        """Seconds an image; None before the second image."""
        return statistics.median(self._gaps) if len(self._gaps) > 1 else None
