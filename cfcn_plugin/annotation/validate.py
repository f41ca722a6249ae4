"""Looking at each image and mask of a data set as training will see them."""
import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.runner import set_random_seed
from mmpretrain.registry import TRANSFORMS
from PIL import Image

from .mask_query import MaskQuery, QueryResult
from .samples import EXIF_ORIENTATION, Guided

# what can be wrong with an image or its mask, the worst first
KINDS = {
    'image': 'image cannot be read',
    'pipeline': 'the pipeline fails',
    'unusable': 'mask cannot be used',
    'size': 'mask has another size than its image',
    'missing': 'no mask',
    'empty': 'mask has no causal pixel',
    'inverted': 'mask looks inverted',
    'full': 'mask covers the whole image',
    'vanishing': 'crops leave the object out more often than not',
    'damaged': 'image loads, but its file is damaged',
    'turned': 'image is turned by its EXIF orientation',
}
FRAME = 0.05  # width of the frame, as a share of the shorter side


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, or may be.

    Attributes:
        kind: One of ``KINDS``.
        reason: What was found, as far as it says more than the kind.
        stops: Whether it would stop a training run, by the config's own policies.
    """
    kind: str
    reason: str = ''
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to say of one image.

    Attributes:
        place: Which data set, and the index in it.
        image: The image's name.
        labels: Its class, several, or none.
        guided: Whether training is guided by its mask.
        area: Causal share of the image, in [0, 1]; None without a mask.
        kept: Share of draws of the whole pipeline that are guided; None without any.
        problems: What is wrong, the worst first.
    """
    place: tuple[int, int]
    image: str
    labels: tuple[int, ...]
    guided: bool
    area: float | None
    kept: float | None
    problems: tuple[Problem, ...]


class Surveyor:
    """Loads images by the config's own transforms, and asks for their masks.

    Args:
        guided: Data sets of a config.
        draws: How often each guided image goes through the whole pipeline. The
            draws depend on the image's index alone.

    Raises:
        ValueError: Draws are asked for and a pipeline does not end with
            PackGuidedInputs.
    """

    def __init__(self, guided: Sequence[Guided], draws: int = 0):
        self.guided = guided
        self.askers = [MaskQuery(one.load) for one in guided]
        self.draws = draws
        self.after = []
        for one in guided if draws else ():
            if not one.after or one.after[-1]['type'] != 'PackGuidedInputs':
                raise ValueError('draws need a pipeline that ends with '
                                 "dict(type='PackGuidedInputs')")
            self.after.append([TRANSFORMS.build(t) for t in one.after])

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(which, index) for which, one in enumerate(self.guided)
                for index in range(len(one.samples))]

    def __call__(self, place: tuple[int, int]) -> Finding:
        """Look at one image and its mask."""
        which, index = place
        one = self.guided[which]
        sample = one.samples[index]
        problems, answer, kept = [], QueryResult('unusable'), None
        try:
            image = self.image(place)
        except Exception as error:  # whatever a loader raises would end training
            problems.append(_failure('image', error))
        else:
            answer = self.askers[which](sample, image.shape[:2])
            problems += _mask_problems(answer, one.load)
            problems += _file_problems(sample.get('img_path'))
        if self.draws and answer.kind == 'mask':
            try:
                kept = self._kept(place)
            except Exception as error:
                problems.append(_failure('pipeline', error))
        if kept is not None and kept < 0.5:
            problems.append(Problem('vanishing', f'it is there in {kept:.0%} of draws'))
        order = list(KINDS)
        problems.sort(key=lambda problem: order.index(problem.kind))
        area = None
        if answer.kind in ('mask', 'empty'):
            area = float(_one(answer.record.mask).mean())
        return Finding(place, one.samples.names[index], _labels(sample),
                       answer.kind == 'mask', area, kept, tuple(problems))

    def image(self, place: tuple[int, int]) -> np.ndarray:
        """(H, W, ...) as the config's transforms before LoadActivationMask load it."""
        return self._loaded(place)['img']

    def mask(self, place: tuple[int, int], shape: tuple) -> np.ndarray | None:
        """uint8 {0, 1}, (H, W), of all classes together; None if there is none."""
        answer = self.askers[place[0]](self.guided[place[0]].samples[place[1]], shape)
        return None if answer.record is None else _one(answer.record.mask)

    def _loaded(self, place: tuple[int, int]) -> dict:
        one = self.guided[place[0]]
        results = one.samples[place[1]]
        for transform in one.before:
            results = transform(results)
        if results is None:
            raise ValueError('the transforms before LoadActivationMask gave nothing')
        return results

    def _kept(self, place: tuple[int, int]) -> float:
        """Share of draws in which the image is still guided."""
        which, index = place
        set_random_seed(index)
        loaded = self.guided[which].load(self._loaded(place))
        kept = 0
        for _ in range(self.draws):
            results = copy.deepcopy(loaded)
            for transform in self.after[which]:
                results = transform(results)
            kept += bool(results['data_samples'].guided)
        return kept / self.draws


def looks_inverted(mask: np.ndarray) -> bool:
    """Whether most of the frame is causal, and less than half of the middle.

    The frame is 5 % of the shorter side wide; the middle is the central half of the
    height and of the width. Objects seldom fill the frame and leave the middle.

    Args:
        mask: uint8 {0, 1}, (H, W).
    """
    height, width = mask.shape
    edge = max(1, round(FRAME * min(height, width)))
    frame = np.ones(mask.shape, bool)
    frame[edge:-edge, edge:-edge] = False
    middle = mask[height // 4:height - height // 4, width // 4:width - width // 4]
    return bool(mask[frame].mean() > 0.5 and middle.mean() < 0.5)


def _failure(kind: str, error: Exception) -> Problem:
    return Problem(kind, f'{type(error).__name__}: {error}', stops=True)


def _mask_problems(answer: QueryResult, load) -> list[Problem]:
    if answer.kind == 'mask':
        return _look(answer)
    if answer.kind == 'unchosen':
        return []
    declared = getattr(load, answer.kind, 'error') == 'unguided'
    forgiven = declared or getattr(load, 'on_error', 'raise') == 'unguided'
    # that there is nothing needs no words
    reason = '' if answer.kind == 'missing' else answer.reason
    return [Problem(answer.kind, reason, stops=not forgiven)]


def _look(answer: QueryResult) -> list[Problem]:
    mask = _one(answer.record.mask)
    known = mask if answer.record.ignore is None else mask | answer.record.ignore
    if known.all():
        return [Problem('full')]
    return [Problem('inverted')] if looks_inverted(mask) else []


def _file_problems(path: str | None) -> list[Problem]:
    """What a file hides: loaders turn images, and fill up those that are cut."""
    if path is None:
        return []
    problems = []
    try:
        with Image.open(path) as image:
            turn = image.getexif().get(EXIF_ORIENTATION, 1)
            if turn in range(2, 9):
                problems.append(Problem('turned', f'orientation {turn}'))
            image.draft('L', (image.width // 8, image.height // 8))  # JPEG: faster
            image.load()
    except Exception as error:  # Pillow's plugins raise many kinds
        problems.append(Problem('damaged', str(error)))
    return problems


def _one(mask: np.ndarray) -> np.ndarray:
    """One mask of those of all classes."""
    return mask if mask.ndim == 2 else mask.max(0, initial=0)


def _labels(sample: dict) -> tuple[int, ...]:
    label = sample.get('gt_label', ())
    return tuple(int(one) for one in np.atleast_1d(label))
