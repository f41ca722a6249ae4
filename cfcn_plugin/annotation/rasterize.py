"""Which pixels an outline encloses."""
import numpy as np


def inside_outline(vertices, height: int, width: int) -> tuple[slice, np.ndarray]:
    """The rows an outline touches, and which of their pixels it encloses.

    A pixel is inside when its centre is; pixel (0, 0) covers [0, 1) x [0, 1). The
    outline is closed from its last vertex to its first. Where it runs over itself the
    winding number decides, so that a line drawn on past its start leaves no hole.

    Args:
        vertices: (N, 2) x and y in pixels; they may lie outside the image.
        height: Of the image, in pixels.
        width: Of the image, in pixels.

    Returns:
        A slice of rows, and bool (rows, width).
    """
    start = np.asarray(vertices, np.float64).reshape(-1, 2)
    if len(start) < 3:
        return slice(0, 0), np.zeros((0, width), bool)
    end = np.roll(start, -1, 0)
    first, last = (int(np.clip(np.ceil(y - 0.5), 0, height))
                   for y in (start[:, 1].min(), start[:, 1].max()))
    centres = np.arange(first, last)[:, None] + 0.5
    down = (start[:, 1] <= centres) & (end[:, 1] > centres)  # (rows, N)
    up = (start[:, 1] > centres) & (end[:, 1] <= centres)
    row, edge = np.nonzero(down | up)
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    x = x0 + (centres[row, 0] - y0) / (y1 - y0) * (x1 - x0)
    column = np.clip(np.ceil(x - 0.5), 0, width).astype(int)
    # +1 or -1 from the first pixel right of each crossing on
    turns = np.zeros((last - first, width + 1), np.int32)
    np.add.at(turns, (row, column), np.where(down[row, edge], 1, -1))
    return slice(first, last), turns.cumsum(1)[:, :width] != 0
