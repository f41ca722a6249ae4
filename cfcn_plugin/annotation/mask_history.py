"""An editable mask with undo and redo."""
import zlib

import numpy as np

from cfcn_plugin.masks.io.shapes import fill_polygon


class MaskHistory:
    """A mask and the compressed history of its edits.

    Args:
        mask: The initial mask, uint8 {0, 1}, (H, W). The mask is copied.
    """

    def __init__(self, mask: np.ndarray):
        self.mask = np.array(mask, np.uint8)
        self._states = [_compress(self.mask)]  # the oldest first
        self._now = 0
        self.mark_saved()

    @property
    def is_changed(self) -> bool:
        """Whether the mask differs from the last saved (or the initial) mask."""
        return self._states[self._now] != self._saved

    def mark_saved(self) -> None:
        """Mark the current mask as saved."""
        self._saved = self._states[self._now]

    def fill(self, vertices, value: int) -> bool:
        """Set the pixels inside an outline.

        Args:
            vertices: (N, 2) x and y in pixels, as in ``fill_polygon``.
            value: 1 adds, 0 erases.

        Returns:
            Whether a pixel changed.
        """
        inside = fill_polygon(vertices, self.mask.shape, nonzero=True)
        return self._edit(np.where(inside, np.uint8(value), self.mask))

    def clear(self) -> bool:
        return self._edit(np.zeros_like(self.mask))

    def undo(self) -> bool:
        """Undo the last edit; returns False if there is no edit."""
        return self._move(-1)

    def redo(self) -> bool:
        """Redo the last undone edit; returns False if there is no undone edit."""
        return self._move(1)

    def _edit(self, mask: np.ndarray) -> bool:
        if np.array_equal(mask, self.mask):
            return False
        self._states[self._now + 1:] = [_compress(mask)]
        return self._move(1)

    def _move(self, steps: int) -> bool:
        if not 0 <= self._now + steps < len(self._states):
            return False
        self._now += steps
        bits = np.frombuffer(zlib.decompress(self._states[self._now]), np.uint8)
        self.mask.flat = np.unpackbits(bits, count=self.mask.size)
        return True


def _compress(mask: np.ndarray) -> bytes:
    return zlib.compress(np.packbits(mask), level=1)
