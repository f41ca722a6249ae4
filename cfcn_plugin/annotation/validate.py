"""Validation of each image of a data set, and of its mask, before training."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from cfcn_plugin.functional import focus_ratio_bounds
from cfcn_plugin.masks import MaskError, MaskLoader, MaskRecord, QueryResult
from cfcn_plugin.masks.exif import exif_orientation
from cfcn_plugin.masks.io.open_image import open_image

from .samples import Samples

# kinds of problems of an image or its mask, the worst first
KINDS = {
    'image': 'image cannot be read',
    'pipeline': 'the pipeline fails',
    'unusable': 'mask cannot be used',
    'size': 'mask has another size than its image',
    'missing': 'no mask',
    'empty': 'mask has no causal pixel',
    'inverted': 'mask looks inverted',
    'full': 'mask covers the whole image',
    'coarse': 'refine found no outline',
    'vanishing': 'most draws crop the object out',
    'damaged': 'image loads, but its file is damaged',
    'turned': 'image is turned by its EXIF orientation',
}
FRAME = 0.05  # width of the frame, as a fraction of the shorter side


@dataclass(frozen=True, slots=True)
class Problem:
    """A certain or possible problem of an image or its mask.

    Attributes:
        kind: One of ``KINDS``.
        reason: Details; may be empty.
        stops: Whether the problem stops a training run under the config's policies.
    """

    kind: str
    reason: str = ''
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of checking one image.

    Attributes:
        place: Index of the data set, and the image's index in the data set.
        image: The image's name.
        labels: The image's classes; may be empty.
        guided: Whether the mask guides training.
        area: Causal fraction of the image, in [0, 1]; None without a mask.
        kept_fraction: Fraction of draws of the whole pipeline that are guided; None
            without draws.
        problems: The problems, the worst first.
        ways: How the mask is refined (``Refined.ways``); empty if it is not.
        best: The largest focus that a map of the guided grid can have with the mask, in
            [0, 1]; None without a mask or a grid.
    """

    place: tuple[int, int]
    image: str
    labels: tuple[int, ...]
    guided: bool
    area: float | None
    kept_fraction: float | None
    problems: tuple[Problem, ...]
    ways: Counter = field(default_factory=Counter)
    best: float | None = None


class MaskValidator:
    """Loads and checks images and their masks as in training.

    Args:
        datasets: Images with the loaders of their masks.
        grid: Rows and columns of the map that is guided; None if there is none.
    """

    def __init__(
        self, datasets: Sequence[Samples], grid: tuple[int, int] | None = None
    ):
        self.datasets = datasets
        self.grid = grid

    @property
    def places(self) -> list[tuple[int, int]]:
        return [
            (which, index)
            for which, samples in enumerate(self.datasets)
            for index in range(len(samples))
        ]

    def __call__(self, place: tuple[int, int]) -> Finding:
        """Check one image and its mask."""
        samples, index = self.datasets[place[0]], place[1]
        sample, kept, area, ways = samples[index], None, None, Counter()
        problems, result, stage = [], QueryResult('unusable'), 'image'
        try:
            image = samples.load_image(index)
            result = samples.loader.query({**sample, 'img': image}, image.shape[:2])
            problems += _mask_problems(result, samples.loader)
            problems += _file_problems(sample.get('img_path'))
            stage = 'pipeline'
            if result.kind == 'mask':
                kept = samples.kept_fraction(index)
                ways = getattr(samples.refined(index), 'ways', ways)
        except Exception as error:  # any error would end training
            reason = f'{type(error).__name__}: {error}'
            problems.append(Problem(stage, reason, stops=True))
        if kept is not None and kept < 0.5:
            problems.append(Problem('vanishing', f'visible in {kept:.0%} of draws'))
        if ways['ellipse'] + ways['mark']:
            problems.append(
                Problem(
                    'coarse',
                    f'{ways["ellipse"]} of {ways.total()} '
                    f'marks became ellipses, {ways["mark"]} stayed',
                )
            )
        problems.sort(key=lambda problem: list(KINDS).index(problem.kind))
        if result.kind in ('mask', 'empty'):
            area = float(_union(result.record.mask).mean())
        best = self._best_focus(result.record) if result.kind == 'mask' else None
        return Finding(
            place,
            samples.names[index],
            _labels(sample),
            result.kind == 'mask',
            area,
            kept,
            tuple(problems),
            ways,
            best,
        )

    def _best_focus(self, record: MaskRecord) -> float | None:
        """Of the whole image, squeezed to the grid."""
        if self.grid is None:
            return None
        mask, ignore = (
            None if one is None else torch.from_numpy(np.ascontiguousarray(one))[None]
            for one in (_union(record.mask), record.ignore)
        )
        best, _ = focus_ratio_bounds(
            torch.zeros(1, 1, *self.grid),
            mask,
            ignore=None if ignore is None else ignore.bool(),
        )
        return best.item()

    def load_image(self, place: tuple[int, int]) -> np.ndarray:
        """(H, W, 3), RGB, as training loads the image."""
        return self.datasets[place[0]].load_image(place[1])

    def load_mask(self, place: tuple[int, int], shape: tuple) -> np.ndarray | None:
        """The union of all classes' masks, uint8 {0, 1}, (H, W); None if missing.

        A mask that training refines is refined.
        """
        samples = self.datasets[place[0]]
        result = samples.loader.query(samples[place[1]], shape)
        refined = samples.refined(place[1]) if result.kind == 'mask' else None
        record = refined or result.record
        return None if record is None else _union(record.mask)


def is_likely_inverted(mask: np.ndarray) -> bool:
    """Whether most of the frame, and less than half of the middle, is causal.

    The width of the frame is 5 % of the shorter side. The middle is the central half
    of the height and of the width. For a correct mask this is rare.

    Args:
        mask: uint8 {0, 1}, (H, W).
    """
    height, width = mask.shape
    edge = max(1, round(FRAME * min(height, width)))
    frame = np.ones(mask.shape, bool)
    frame[edge:-edge, edge:-edge] = False
    middle = mask[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return bool(mask[frame].mean() > 0.5 and middle.mean() < 0.5)


def _mask_problems(result: QueryResult, loader: MaskLoader) -> list[Problem]:
    if result.kind == 'unchosen':
        return []
    if result.kind != 'mask':
        # `on_error` handles a MaskError, and no error of a source's own
        handled = loader.on_error == 'unguided' and isinstance(result.error, MaskError)
        stops = not handled and not loader.is_declared_unguided(result)
        # the kind 'missing' needs no reason
        reason = '' if result.kind == 'missing' else result.reason
        return [Problem(result.kind, reason, stops)]
    mask, ignore = _union(result.record.mask), result.record.ignore
    if (mask if ignore is None else mask | ignore).all():
        return [Problem('full')]
    return [Problem('inverted')] if is_likely_inverted(mask) else []


def _file_problems(path: str | None) -> list[Problem]:
    """Problems that loading hides: an EXIF orientation, and truncated files."""
    if path is None:
        return []
    problems = []
    try:
        with open_image(path) as image:
            orientation = exif_orientation(image)
            if orientation != 1:
                problems.append(Problem('turned', f'orientation {orientation}'))
            image.draft('L', (image.width // 8, image.height // 8))  # JPEG: faster
            image.load()
    except Exception as error:  # Pillow's plugins raise errors of many types
        problems.append(Problem('damaged', str(error)))
    return problems


def _union(mask: np.ndarray) -> np.ndarray:
    """The union of the masks of all classes."""
    return mask if mask.ndim == 2 else mask.max(0, initial=0)


def _labels(sample: dict) -> tuple[int, ...]:
    return tuple(int(label) for label in np.atleast_1d(sample.get('gt_label', ())))
