"""Refining a coarse mark (box, point, scribble) to the outline of the object.

GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004), as OpenCV implements it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cfcn_plugin.options import check_choice, check_number, check_whole
from cfcn_plugin.stock import GOES

from .io.shapes import dilate
from .refine_cache import RefineCache

MARKS = ('around', 'inside')
LARGEST = 10_000  # of any option
CORE = 0.4  # of the sides of a mark: the ellipse that is surely the object
EDGE = 0.9  # of the edge of a mark: an outline that touches more is the mark again
LEAST_CORE = 0.2  # of the mark; an outline around the core that is smaller fails
SMALL_PART = 0.1  # of the largest part; smaller parts of an outline are dropped
SURE_CONTEXT, SURE_CAUSE, MAYBE_CONTEXT, MAYBE_CAUSE = range(4)  # OpenCV's numbers


class Refined(NamedTuple):
    """A refined mask.

    Attributes:
        mask: uint8 {0, 1}, (H, W).
        ways: How often each way was taken, one for each part of the mark: 'outline';
            'core': the second try, from a sure core; 'ellipse' or 'mark': no outline
            was found, and the mark's ellipse or the mark itself is taken.
    """

    mask: np.ndarray
    ways: Counter


class GrabCut:
    """The outline of the object that a mark is around, or inside of.

    Boxes that overlap are one part of the mark. The result is deterministic: the seed
    of OpenCV's generator is set.

    Args:
        mark: ``'around'``: each connected part of the mark contains an object, like a
            box; no pixel outside of the mark becomes causal. ``'inside'``: one object
            contains the mark, like points or scribbles; every pixel of the mark stays
            causal.
        iterations: Iterations of GrabCut.
        margin: For ``'around'``: context in the crop at each side of the mark, as a
            fraction of the mark's width and height.
        reach: For ``'inside'``: distance from the mark within which the object is
            expected first, as a fraction of the image's diagonal.
        size: Longest side of the crop in pixels; a larger crop is reduced. 256 is a
            little better and takes three times as long.
        least: Smallest outline, as a fraction of the mark; below, the second try.
        most: Largest outline, as a fraction of the mark, for ``'inside'`` of the image.
        cache: Folder for outlines, by the content of image and mark: each image is
            refined once, not once an epoch. It can be removed at any time. None: no
            cache.

    Raises:
        ValueError: An option is out of its range.
    """

    stock = GOES

    def __init__(
        self,
        mark: str = 'around',
        iterations: int = 3,
        margin: float = 0.35,
        reach: float = 0.18,
        size: int = 160,
        least: float = 0.15,
        most: float = 0.98,
        cache: str | None = None,
    ):
        check_choice('mark', mark, MARKS)
        check_whole('iterations', iterations, least=1, most=LARGEST)
        check_whole('size', size, least=16, most=LARGEST)
        for name, value in dict(
            margin=margin, reach=reach, least=least, most=most
        ).items():
            check_number(name, value, least=0, most=LARGEST)
        self.mark = mark
        self.iterations = iterations
        self.margin = margin
        self.reach = reach
        self.size = size
        self.least = least
        self.most = most
        self.options = dict(vars(self))
        self.cache = (
            None
            if cache is None
            else RefineCache(cache, f'{self!r}, edge {EDGE}, OpenCV {cv2.__version__}')
        )

    def __repr__(self):
        options = ', '.join(f'{name}={value!r}' for name, value in self.options.items())
        return f'{type(self).__name__}({options})'

    def __call__(self, image: np.ndarray, mask: np.ndarray) -> Refined:
        """Refine a mask.

        Args:
            image: uint8 (H, W, 3), (H, W, 1) or (H, W), in any order of colours.
            mask: The mark, uint8 {0, 1}, (H, W).

        Raises:
            ValueError: The image is of another type, or of another size than the mask.
        """
        image = as_colour(image)
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f'image of {image.shape[:2]} and mask of {mask.shape}: '
                'refining needs the same (H, W)'
            )
        if not mask.any():
            return Refined(np.zeros(mask.shape, np.uint8), Counter())
        make = self._inside_of if self.mark == 'inside' else self._around_parts
        if self.cache is None:
            return make(image, mask)
        return Refined(*self.cache.get(image, mask, make))

    def _inside_of(self, image: np.ndarray, mask: np.ndarray) -> Refined:
        outline, way = self._refine(image, mask.astype(np.uint8))
        return Refined(outline, Counter([way]))

    def _around_parts(self, image: np.ndarray, mask: np.ndarray) -> Refined:
        refined, ways = np.zeros(mask.shape, np.uint8), Counter()
        for part in connected_parts(mask):
            left, top, width, height = cv2.boundingRect(part)
            window = (
                _widen(top, height, self.margin),
                _widen(left, width, self.margin),
            )
            outline, way = self._refine(image[window], part[window])
            refined[window] |= outline
            ways[way] += 1
        return Refined(refined, ways)

    def _refine(self, image: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, str]:
        height, width = part.shape
        scale = min(1, self.size / max(height, width))
        small = part
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            small = _resize(part, size, cv2.INTER_AREA)
        attempts = self._around if self.mark == 'around' else self._inside
        for outline, way in attempts(image, small):
            if outline is None:
                continue
            if scale < 1:
                outline = _resize(outline, (width, height), cv2.INTER_LINEAR)
            return (outline & part if self.mark == 'around' else outline | part), way
        return part, 'mark'

    def _around(self, image: np.ndarray, mark: np.ndarray) -> Iterator[tuple]:
        """Outlines from the best to the last resort, each None if it fails."""
        area = max(int(mark.sum()), 1)
        ellipse, core = _ellipse(mark, 1), _ellipse(mark, CORE)
        # not where the image ends: an object may end there, too
        edge = (mark - cv2.erode(mark, np.ones((3, 3), np.uint8))) > 0

        def accept(labels: np.ndarray, least: float) -> np.ndarray | None:
            outline = self._cut(image, labels)
            if edge.any() and outline[edge].mean() > EDGE:
                return None
            return self._accept(outline, least * area, area)

        labels = np.where(mark, MAYBE_CAUSE, SURE_CONTEXT)
        yield accept(labels, self.least), 'outline'
        labels = np.where(mark, MAYBE_CONTEXT, SURE_CONTEXT)
        labels[ellipse > 0] = MAYBE_CAUSE
        labels[core > 0] = SURE_CAUSE
        yield accept(labels, LEAST_CORE), 'core'
        yield (ellipse if ellipse.any() else None), 'ellipse'

    def _inside(self, image: np.ndarray, mark: np.ndarray) -> Iterator[tuple]:
        labels = np.full(mark.shape, MAYBE_CONTEXT)
        labels[dilate(mark, self.reach * np.hypot(*mark.shape)) > 0] = MAYBE_CAUSE
        labels[mark > 0] = SURE_CAUSE
        outline = self._cut(image, labels)
        _, parts = cv2.connectedComponents(outline)
        outline &= np.isin(parts, np.unique(parts[mark > 0])).astype(np.uint8)
        yield self._accept(outline, mark.sum(), mark.size), 'outline'

    def _accept(
        self, outline: np.ndarray, least: float, area: int
    ) -> np.ndarray | None:
        return outline if least <= outline.sum() <= self.most * area else None

    def _cut(self, image: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """GrabCut from initial labels; all zeros where GrabCut cannot start."""
        labels = labels.astype(np.uint8)
        is_cause = labels % 2 == 1
        if is_cause.all() or not is_cause.any():
            return np.zeros(labels.shape, np.uint8)
        cv2.setRNGSeed(0)
        labels, *_ = cv2.grabCut(
            image,
            labels,
            None,
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            self.iterations,
            cv2.GC_INIT_WITH_MASK,
        )
        return _clean((labels % 2).astype(np.uint8))


def as_colour(image: np.ndarray) -> np.ndarray:
    """An image as contiguous uint8 (H, W, 3).

    Raises:
        ValueError: The image is not uint8 with one or three channels.
    """
    if (
        image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or (image.ndim == 3 and image.shape[2] not in (1, 3))
    ):
        raise ValueError(
            'refining needs a uint8 image of one or three channels, got '
            f'{image.dtype} of shape {image.shape}: load the image so '
            '(LoadImageFromFile without `to_float32`), or leave `refine` out'
        )
    if image.ndim == 2 or image.shape[2] == 1:
        image = np.repeat(image.reshape(*image.shape[:2], 1), 3, 2)
    return np.ascontiguousarray(image)


def connected_parts(mask: np.ndarray) -> Iterator[np.ndarray]:
    """The connected parts of a mask, each uint8 {0, 1}, (H, W)."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    for number in range(1, count):
        yield (labels == number).astype(np.uint8)


def _resize(mask: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    """A mask of another (W, H) ``size``, 1 where at least half of a pixel was."""
    resized = cv2.resize(mask.astype(np.float32), size, interpolation=interpolation)
    return (resized >= 0.5).astype(np.uint8)


def _widen(start: int, length: int, margin: float) -> slice:
    """The pixels from ``start``, with ``margin`` * ``length`` more at both ends."""
    more = margin * length
    return slice(max(0, int(start - more)), int(np.ceil(start + length + more)))


def _ellipse(mark: np.ndarray, fraction: float) -> np.ndarray:
    """The pixels of a mark in the ellipse of ``fraction`` of its bounding box."""
    left, top, width, height = cv2.boundingRect(mark)
    y, x = np.ogrid[: mark.shape[0], : mark.shape[1]]
    across = (x + 0.5 - left - width / 2) / (width / 2 * fraction)
    down = (y + 0.5 - top - height / 2) / (height / 2 * fraction)
    return ((across**2 + down**2 <= 1) & (mark > 0)).astype(np.uint8)


def _clean(outline: np.ndarray) -> np.ndarray:
    """Drop thin lines and small parts, and close small gaps."""
    outline = cv2.morphologyEx(outline, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(outline)
    if count > 1:
        areas = stats[:, cv2.CC_STAT_AREA]
        areas[0] = 0
        outline = (areas >= SMALL_PART * areas.max())[labels].astype(np.uint8)
        outline[labels == 0] = 0
    return cv2.morphologyEx(outline, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
