"""The assisted outline: a box or a stroke in, the outline of the object out."""

from collections import OrderedDict
from typing import NamedTuple

import cv2
import numpy as np

from cfcn_plugin.masks import GrabCut, MaskError
from cfcn_plugin.masks.io.shapes import dilate, draw_stroke

from .image_store import shrink

SIZE = 256  # pixels of the longest side that the outline is searched in
MARGIN = 0.35  # of the boxes' width and height: context around them
STROKE_MARGIN = 0.1  # the same around a stroke that leaves the boxes
ITERATIONS = 2  # of a correction, which begins with the outline that is corrected
REACH = 0.15  # of the diagonal: what is farther from a stroke does not change by it
KEPT = 64  # outlines that a correction can begin with
MOST_STROKES, MOST_POINTS = 200, 20_000
SURE_CONTEXT, SURE_CAUSE, MAYBE_CONTEXT, MAYBE_CAUSE = range(4)  # OpenCV's numbers
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels


class Stroke(NamedTuple):
    """A line that a person drew: ``value`` 1 over the cause, 0 over the context."""

    points: tuple[tuple[float, float], ...]
    radius: float
    value: int


class Outline(NamedTuple):
    """uint8 {0, 1} (h, w), whose first pixel is (``left``, ``top``) of the image."""

    mask: np.ndarray
    left: int
    top: int


class OutlineAssistant:
    """Outlines by GrabCut on a reduced copy of the area around the marks.

    The first outline is :class:`.GrabCut`'s, around the boxes or, without boxes, from
    the first stroke. Each further stroke corrects the outline: it is cause or context
    for sure, and what changes is connected to the stroke.
    """

    def __init__(self):
        self._known: OrderedDict[tuple, np.ndarray] = OrderedDict()

    def propose(
        self,
        name: str,
        image: np.ndarray,
        boxes: tuple[Box, ...],
        strokes: tuple[Stroke, ...],
    ) -> Outline:
        """The outline by these marks.

        Args:
            name: The image; an earlier outline of this name is corrected.
            image: uint8 (H, W, 3).
            boxes: The boxes around the object, or around its parts.
            strokes: The strokes, in the order in which they were drawn.

        Raises:
            MaskError: There are no marks in the image.
        """
        window = _window(boxes, strokes, image.shape[:2])
        rows, columns = window
        area = image[rows, columns]
        small = np.ascontiguousarray(shrink(area, SIZE))
        scale = small.shape[1] / area.shape[1], small.shape[0] / area.shape[0]
        drawn = [_draw(stroke, window, scale, small.shape[:2]) for stroke in strokes]
        mark = _draw_boxes(boxes, window, scale, small.shape[:2])
        first = 0 if boxes else 1
        if not (
            mark.any() if boxes else strokes and strokes[0].value and drawn[0].any()
        ):
            raise MaskError('draw a box, or a stroke over the cause, in the image')
        # a stroke that leaves the window makes a larger one, and all outlines anew
        marks = name, rows.start, rows.stop, columns.start, columns.stop, boxes
        outline = None
        for count in range(len(strokes), first - 1, -1):
            outline = self._known.get((*marks, strokes[:count]))
            if outline is not None:
                break
        if outline is None:
            count = first
            outline = (
                GrabCut('around', size=SIZE)(small, mark)
                if boxes
                else GrabCut('inside', size=SIZE)(small, drawn[0])
            ).mask
            self._keep((*marks, strokes[:count]), outline)
        for after in range(count + 1, len(strokes) + 1):
            outline = _correct(
                small,
                outline,
                mark,
                drawn[:after],
                [stroke.value for stroke in strokes[:after]],
            )
            self._keep((*marks, strokes[:after]), outline)
        return Outline(_enlarge(outline, area.shape[:2]), columns.start, rows.start)

    def _keep(self, key: tuple, outline: np.ndarray) -> None:
        self._known[key] = outline
        if len(self._known) > KEPT:
            self._known.popitem(last=False)


def read_marks(content) -> tuple[tuple[Box, ...], tuple[Stroke, ...]]:
    """The boxes and strokes of a request of the page.

    Raises:
        MaskError: The request is none of the page's, or too long.
    """
    try:
        boxes = tuple(tuple(map(float, box)) for box in content['boxes'])
        strokes = tuple(
            Stroke(
                tuple((float(x), float(y)) for x, y in stroke['points']),
                float(stroke['radius']),
                int(bool(stroke['value'])),
            )
            for stroke in content['strokes']
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MaskError(
            'expected boxes [[x0, y0, x1, y1], ...], and strokes with '
            'points, radius and value'
        ) from error
    points = [point for stroke in strokes for point in stroke.points]
    numbers = [*sum(boxes, ()), *sum(points, ()), *(one.radius for one in strokes)]
    if (
        not np.isfinite(numbers).all()
        or any(len(box) != 4 for box in boxes)
        or any(not one.points or one.radius < 0 for one in strokes)
    ):
        raise MaskError('expected four finite numbers a box, points in each stroke')
    if len(strokes) + len(boxes) > MOST_STROKES or len(points) > MOST_POINTS:
        raise MaskError(f'expected at most {MOST_STROKES} marks, {MOST_POINTS} points')
    return boxes, strokes


def _window(
    boxes: tuple[Box, ...], strokes: tuple[Stroke, ...], shape: tuple[int, int]
) -> tuple[slice, slice]:
    """The rows and columns of boxes and cause, with context; all without boxes."""
    if not boxes:
        return slice(0, shape[0]), slice(0, shape[1])
    low, high = np.min(boxes, 0)[:2], np.max(boxes, 0)[2:]
    size = high - low
    low, high = low - MARGIN * size - 2, high + MARGIN * size + 2
    for stroke in strokes:
        if stroke.value:
            more = stroke.radius + STROKE_MARGIN * size
            low = np.minimum(low, np.min(stroke.points, 0) - more)
            high = np.maximum(high, np.max(stroke.points, 0) + more)
    (left, top), (right, bottom) = (
        np.clip([low, high], 0, shape[::-1]).astype(int).tolist()
    )
    if left >= right or top >= bottom:
        raise MaskError('the box is outside of the image')
    return slice(top, bottom), slice(left, right)


def _draw_boxes(
    boxes: tuple[Box, ...],
    window: tuple[slice, slice],
    scale: tuple[float, float],
    shape: tuple[int, int],
) -> np.ndarray:
    mark = np.zeros(shape, np.uint8)
    for x0, y0, x1, y1 in boxes:
        corner = window[1].start, window[0].start
        ends = np.round((np.array([[x0, y0], [x1, y1]]) - corner) * scale)
        (left, top), (right, bottom) = np.clip(ends, 0, shape[::-1]).astype(int)
        mark[top:bottom, left:right] = 1
    return mark


def _draw(
    stroke: Stroke,
    window: tuple[slice, slice],
    scale: tuple[float, float],
    shape: tuple[int, int],
) -> np.ndarray:
    """A stroke in the reduced window, as thick as it was seen."""
    corner = window[1].start, window[0].start
    points = (np.array(stroke.points) - corner) * scale
    return draw_stroke(points, min(stroke.radius * scale[0], SIZE), shape)


def _correct(
    image: np.ndarray,
    before: np.ndarray,
    mark: np.ndarray,
    drawn: list[np.ndarray],
    values: list[int],
) -> np.ndarray:
    """The outline after the last stroke, changed only where connected to it."""
    labels = np.where(before, MAYBE_CAUSE, MAYBE_CONTEXT).astype(np.uint8)
    last, value = drawn[-1], values[-1]
    near = dilate(last, REACH * np.hypot(*last.shape))
    if mark.any():
        # outside of the boxes is context, but where a stroke shows that they are small
        more = near * np.uint8(value)
        labels[(mark | more | before) == 0] = SURE_CONTEXT
    for stroke, cause in zip(drawn, values):
        labels[stroke > 0] = SURE_CAUSE if cause else SURE_CONTEXT
    after = labels % 2
    if after.any() and not after.all():
        cv2.setRNGSeed(0)
        found, *_ = cv2.grabCut(
            image,
            labels.copy(),
            None,
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            ITERATIONS,
            cv2.GC_INIT_WITH_MASK,
        )
        after = cv2.medianBlur(found % 2, 5)
    changed = (near & (after != before) & (after == value) | last).astype(np.uint8)
    _, parts = cv2.connectedComponents(changed, connectivity=4)
    touched = np.isin(parts, np.setdiff1d(parts[last > 0], [0]))
    outline = np.where(touched, value, before).astype(np.uint8)
    for stroke, cause in zip(drawn, values):
        outline[stroke > 0] = cause
    return outline


def _enlarge(outline: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The outline at (H, W) ``shape``, smooth where it is enlarged."""
    if outline.shape == shape:
        return outline
    soft = cv2.resize(
        outline.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    if min(shape) > 2 * min(outline.shape):  # without the steps of the reduced copy
        reach = shape[0] / outline.shape[0]
        soft = cv2.GaussianBlur(soft, (0, 0), 0.7 * reach)
    return (soft >= 0.5).astype(np.uint8)
