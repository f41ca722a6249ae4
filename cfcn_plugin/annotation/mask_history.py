"""A mask that a person draws on, with undo and redo."""
import numpy as np

from cfcn_plugin.masks.io.shapes import fill_polygon


class MaskHistory:
    """A mask and the history of its edits.

    An edit keeps only the rows it changed, so that the memory of the history depends
    on what was drawn and not on the size of the image.

    Args:
        mask: uint8 {0, 1}, (H, W), to begin with. It is copied.
    """

    def __init__(self, mask: np.ndarray):
        self.mask = np.array(mask, np.uint8)
        # (number of the edit, its rows, their pixels after it is undone or redone)
        self._undo: list[tuple[int, slice, np.ndarray]] = []
        self._redo: list[tuple[int, slice, np.ndarray]] = []
        self._edits = self._saved = 0

    @property
    def is_changed(self) -> bool:
        """Whether the mask differs from the one saved last, or given at first."""
        return self._last_edit() != self._saved

    def mark_saved(self) -> None:
        """Take the mask as it is now for the one saved last."""
        self._saved = self._last_edit()

    def fill(self, vertices, value: int) -> bool:
        """Set the pixels that an outline encloses.

        Args:
            vertices: (N, 2) x and y in pixels, as in ``fill_polygon``.
            value: 1 adds, 0 erases.

        Returns:
            Whether a pixel changed.
        """
        inside = fill_polygon(vertices, self.mask.shape, nonzero=True)
        touched = np.flatnonzero(inside.any(1))
        rows = slice(*touched[[0, -1]] + [0, 1]) if len(touched) else slice(0, 0)
        now = np.where(inside[rows], np.uint8(value), self.mask[rows])
        return self._edit(rows, now)

    def clear(self) -> bool:
        rows = slice(0, len(self.mask))
        return self._edit(rows, np.zeros_like(self.mask))

    def undo(self) -> bool:
        """Undo the last edit. False: there is none."""
        return self._swap(self._undo, self._redo)

    def redo(self) -> bool:
        """Redo the edit that was undone last. False: there is none."""
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
