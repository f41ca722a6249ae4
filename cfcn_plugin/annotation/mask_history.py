"""A mask that a person draws on, with undo and redo."""
import numpy as np

from .rasterize import inside_outline


class MaskHistory:
    """A mask and the history of its edits.

    An edit keeps the rows it changed and nothing else, so that the history of a
    large image costs what was drawn and not what was looked at.

    Args:
        mask: uint8 {0, 1}, (H, W), to begin with. It is copied.
    """

    def __init__(self, mask: np.ndarray):
        self.mask = np.array(mask, np.uint8)
        # (number of the edit, its rows, what they hold on the other side of it)
        self._undo: list[tuple[int, slice, np.ndarray]] = []
        self._redo: list[tuple[int, slice, np.ndarray]] = []
        self._edits = self._saved = 0

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what was saved last, or from the beginning."""
        return self._last_edit() != self._saved

    def saved(self) -> None:
        """Say that what there is now is saved."""
        self._saved = self._last_edit()

    def fill(self, vertices, value: int) -> bool:
        """Set the pixels that an outline encloses.

        Args:
            vertices: (N, 2) x and y in pixels, as in ``inside_outline``.
            value: 1 adds, 0 erases.

        Returns:
            Whether a pixel changed.
        """
        rows, inside = inside_outline(vertices, *self.mask.shape)
        return self._edit(rows, np.where(inside, np.uint8(value), self.mask[rows]))

    def clear(self) -> bool:
        rows = slice(0, len(self.mask))
        return self._edit(rows, np.zeros_like(self.mask))

    def undo(self) -> bool:
        """Take the last edit back. False: there is none."""
        return self._swap(self._undo, self._redo)

    def redo(self) -> bool:
        """Do again what was undone last. False: there is nothing."""
        return self._swap(self._redo, self._undo)

    def _edit(self, rows: slice, now: np.ndarray) -> bool:
        if np.array_equal(now, self.mask[rows]):
            return False
        self._edits += 1
        self._undo.append((self._edits, rows, self.mask[rows].copy()))
        self._redo.clear()
        self.mask[rows] = now
        return True

    def _swap(self, here: list, there: list) -> bool:
        if not here:
            return False
        edit, rows, other = here.pop()
        there.append((edit, rows, self.mask[rows].copy()))
        self.mask[rows] = other
        return True

    def _last_edit(self) -> int:
        return self._undo[-1][0] if self._undo else 0
