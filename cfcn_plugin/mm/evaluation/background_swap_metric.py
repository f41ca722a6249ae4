"""Accuracy on other backgrounds, and on backgrounds alone, by the user's own masks."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from cfcn_plugin.data.batch_augments import BackgroundSwap
from cfcn_plugin.functional.compositing import (
    HOLES,
    has_object_and_context,
    hole_of,
    swap_background,
    without_object,
)
from cfcn_plugin.functional.other_images import CONDITIONS
from cfcn_plugin.options import check_choice, check_number, check_whole

from .background_pairs import BackgroundPairs
from .computed import ALONE, computed
from .correctness import is_right, labels_of, right_answers
from .model_aware_metric import EvalBatch, ModelAwareMetric
from .swap_conditions import check_possible

GREY = 128  # of 0 to 255, before preprocessing
CHUNK = 1024  # images, which with 1000 classes are some megabytes


class BackgroundSwapMetric(ModelAwareMetric):
    """Top-1 accuracy in percent of the images with a mask, on exchanged backgrounds.

    - ``swap/original``: the images unchanged.
    - ``swap/other_class``, ``swap/same_class``: the object on the background of an
      image of another class, or of another image of its class. The object of that
      image is filled (:func:`cfcn_plugin.functional.compositing.swap_background`).
    - ``swap/gap``: same class minus other class, of images that have both: the effect
      of the background's class (BG-Gap, Xiao et al. 2021, "Noise or Signal").
    - ``swap/changed``: fraction of images whose correctness differs between their own
      background and another class's. Unlike the gap, this fraction is informative
      where the test's backgrounds are balanced over the classes.
    - ``swap/no_background``: the object on grey.
    - ``swap/no_object``: the object filled by its surroundings: what the background
      and the object's faint outline say about the class.
    - ``swap/harmonic_accuracy``: the harmonic mean of the accuracies on ``original``
      and ``other_class``, each class counted equally. To choose a checkpoint by without
      group labels (``save_best='swap/harmonic_accuracy'``).
    - ``swap/images``: how many images have a mask.
    - ``swap/fair``: 0 where the model was trained with ``BackgroundSwap``. Such a model
      was trained on images of the kind that this metric tests. A warning says so.

    An image of several labels is right if all its labels are right. Another class is
    then an image that has none of the labels, the same class an image that has all.

    The other image is an image with a mask, chosen by a hash of seed and index, and
    comes through the data set's own pipeline. An image that its mask covers has no
    background; it is left out.

    Needs a model-aware loop, see :class:`ModelAwareMetric`.

    Args:
        seed: Another seed chooses other backgrounds.
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        hole: What is filled where an object is removed: ``'mask'``, or the ``'box'``
            around the mask, for outlines that may lack a part of the object.
        conditions: Which of ``'other_class'``, ``'same_class'``, ``'no_background'``
            and ``'no_object'`` are measured, each by one more forward pass. If no image
            can have one of them, this is an error. None: all that images can have.
        **kwargs: As in every mmengine metric.
    """

    default_prefix = 'swap'

    def __init__(
        self,
        seed: int = 0,
        border: float = 2.0,
        hole: str = 'mask',
        conditions: Sequence[str] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_whole('seed', seed)
        check_number('border', border, least=0)
        check_choice('hole', hole, HOLES)
        for condition in conditions or ():
            check_choice('conditions', condition, CONDITIONS)
        self.seed = seed
        self.border = border
        self.hole = hole
        self.required = tuple(conditions or ())
        self.fair = True
        self._pairs = None
        self._maskless = set()  # indices of images that turned out to have none

    def evaluate_batch(self, model: nn.Module, batch: EvalBatch) -> list[dict | None]:
        self._check_training(model)
        if self._pairs is None or self._pairs.dataset is not batch.dataset:
            self._pairs = BackgroundPairs(batch.dataset, self.seed)
            self._maskless.clear()
        values = [None] * len(batch.samples)
        if batch.masks is None:
            return values
        objects = batch.masks.objects
        usable = batch.masks.guided & has_object_and_context(objects)
        chosen = usable.nonzero().flatten().tolist()
        if not chosen:
            return values
        samples = [batch.samples[i] for i in chosen]
        inputs, objects = batch.inputs[chosen], objects[chosen]
        rows = [
            dict(labels=tuple(labels_of(s.gt_label)), original=is_right(s, s))
            for s in samples
        ]
        for condition in self.required or CONDITIONS:
            which, images = self._swap(condition, model, samples, inputs, objects)
            if which:
                answers = right_answers(model, images, [samples[i] for i in which])
                for i, right in zip(which, answers):
                    rows[i][condition] = right
        for index, row in zip(chosen, rows):
            values[index] = row
        return values

    def _swap(
        self,
        condition: str,
        model: nn.Module,
        samples: list,
        inputs: Tensor,
        objects: Tensor,
    ) -> tuple[list[int], Tensor]:
        """Indices of the images that can have the condition, and the images in it."""
        which = list(range(len(samples)))
        if condition == 'no_object':
            return which, without_object(
                inputs, hole_of(objects, self.hole), self.border
            )
        if condition == 'no_background':
            theirs = _preprocessed_grey(model, inputs), torch.zeros_like(objects)
        else:
            others = [self._load_other(sample, condition) for sample in samples]
            which = [i for i in which if others[i] is not None]
            if not which:
                return which, inputs
            images, holes = _prepare(
                model, [others[i] for i in which], inputs.shape[-2:]
            )
            theirs = images, hole_of(holes, self.hole)
        return which, swap_background(
            inputs[which], objects[which], *theirs, self.border
        )

    def compute_metrics(self, results: list) -> dict[str, float]:
        measured = [row for row in results if row]
        if self.required:
            check_possible(
                [frozenset(row['labels']) for row in measured], self.required
            )
        metrics = _swap_accuracies(measured) if measured else dict(images=0.0)
        return {**metrics, 'fair': float(self.fair)}

    def _load_other(self, sample, which: str) -> dict | None:
        """The first other image that has a mask, as the pipeline packs it."""
        for index in self._pairs.of(sample, which):
            if index not in self._maskless:
                packed = self._pairs.dataset[index]
                if _has_background(packed['data_samples']):
                    return packed
                self._maskless.add(index)
        return None

    def _check_training(self, model: nn.Module) -> None:
        augments = getattr(model.data_preprocessor, 'batch_augments', None)
        swaps = any(
            isinstance(augment, BackgroundSwap) and augment.prob > 0
            for augment in getattr(augments, 'augments', ())
        )
        if swaps and self.fair:
            self.fair = False
            print_log(
                'this model is trained with BackgroundSwap, on images of the kind that '
                'BackgroundSwapMetric tests: a comparison with models that were not is '
                f'not fair ({self.prefix}/fair is 0). A choice among checkpoints of '
                'this training is fair',
                'current',
                level=30,
            )


def _prepare(model, packed: list[dict], size) -> tuple[Tensor, Tensor]:
    """Other images and their objects, preprocessed, at ``size``."""
    data = model.data_preprocessor(
        {key: [one[key] for one in packed] for key in ('inputs', 'data_samples')}
    )
    images, objects = data['inputs'], data['masks'].objects
    if images.shape[-2:] != size:
        images = F.interpolate(images, size=size, mode='bilinear')
        objects = F.interpolate(objects[:, None].float(), size=size)[:, 0] > 0
    return images, objects


def _has_background(sample) -> bool:
    """Whether a packed sample has a mask that leaves some of the image."""
    if not sample.guided:
        return False
    objects = sample.activation_mask > 0
    objects = objects.reshape(-1, *objects.shape[-2:]).any(0)
    if 'ignore_mask' in sample:
        objects = objects | (sample.ignore_mask > 0)
    return not objects.all()


def _preprocessed_grey(model: nn.Module, like: Tensor) -> Tensor:
    image = torch.full((1, *like.shape[1:]), GREY, dtype=torch.uint8)
    grey = model.data_preprocessor(dict(inputs=image))['inputs']
    return grey[..., : like.shape[-2], : like.shape[-1]].expand_as(like)


def _swap_accuracies(rows: list[dict]) -> dict[str, float]:
    """What :class:`cfcn_plugin.metrics.BackgroundSwapAccuracy` says of images' rows."""
    from cfcn_plugin.metrics import BackgroundSwapAccuracy  # slow to import

    classes = 1 + max(max(row['labels'], default=0) for row in rows)
    metric = BackgroundSwapAccuracy(classes, **ALONE).set_dtype(torch.float64)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        target = torch.zeros(len(part), classes, dtype=torch.long)
        for labels, row in zip(target, part):
            labels[list(row['labels'])] = 1
        metric.update(
            {
                name: torch.tensor([float(row.get(name, torch.nan)) for row in part])
                for name in ('original', *CONDITIONS)
            },
            target,
        )
    return computed(metric)
