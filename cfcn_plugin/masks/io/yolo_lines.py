"""What lines of YOLO are that hold more than a box: polygons, or key points.

A line of segmentation has the category and three points or more. A line of pose has the
category, a box, and for each key point x, y, and often 0, 1 or 2 for its visibility.
The length of a line does not tell the two apart. The lines of a folder do: all lines of
pose have one length, and key points are near their box.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from .numbers import read_number

BOX = 4
LINES = 200  # of a folder, which tell what all its lines are
POSE = 0.8  # fraction of lines; a few lines of a folder are annotated wrongly
BEYOND = 0.05  # how far a box may leave the image, in fractions of the image
REACH = 0.65  # distance of a key point from the box's centre, in sizes of the box
VISIBILITY = (0, 1, 2)
ROUNDING = 1e-4  # of corners, which tools write with five digits or more


def may_be_pose(values: Sequence[float]) -> bool:
    """Whether numbers after the category may be a box and key points.

    A key point 0, 0 is one that is not in the image. The corners of a rotated box (YOLO
    OBB) are those of a parallelogram.
    """
    flat = values[BOX:]
    return (
        len(flat) > 1
        and _may_be_box(values)
        and not _is_turned_box(values)
        and any(
            len(flat) % size == 0 and _may_be_points(flat, size, values)
            for size in (2, 3)
        )
    )


def may_hold_pose(files: Iterable[Path]) -> bool:
    """Whether the lines of these files that hold more than a box may be pose."""
    lines = list(islice(_long_lines(files), LINES))
    lengths = Counter(len(values) for values in lines if may_be_pose(values))
    return bool(lengths) and max(lengths.values()) >= POSE * len(lines)


def _may_be_box(values: Sequence[float]) -> bool:
    x, y, width, height = values[:BOX]
    # two right angles at the second point, as in a polygon's rectangle
    next_x, next_y = values[BOX : BOX + 2]
    is_corner = (x == width) != (y == height) and (width == next_x) != (
        height == next_y
    )
    return not is_corner and all(
        size > 0 and centre - size / 2 >= -BEYOND and centre + size / 2 <= 1 + BEYOND
        for centre, size in ((x, width), (y, height))
    )


def _is_turned_box(values: Sequence[float]) -> bool:
    return len(values) == 8 and all(
        abs(values[i] + values[i + 4] - values[i + 2] - values[i + 6]) < ROUNDING
        for i in (0, 1)
    )


def _may_be_points(flat: Sequence[float], size: int, box: Sequence[float]) -> bool:
    x, y, width, height = box[:BOX]
    near = all(
        (a, b) == (0, 0)
        or (abs(a - x) <= REACH * width and abs(b - y) <= REACH * height)
        for a, b in zip(flat[::size], flat[1::size])
    )
    return near and (size == 2 or all(seen in VISIBILITY for seen in flat[2::size]))


def _long_lines(files: Iterable[Path]) -> Iterator[list[float]]:
    for file in files:
        try:
            lines = file.read_text(encoding='utf-8-sig').splitlines()
            numbers = [[*map(read_number, line.split()[1:])] for line in lines]
        except (OSError, ValueError):
            continue  # an error when the mask of its image is read
        yield from (values for values in numbers if len(values) > BOX)
