"""Accuracy on other backgrounds, and on backgrounds alone, by the user's own masks."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from cfcn_plugin.functional.compositing import swap_background, without_object
from cfcn_plugin.options import check_number, check_whole

from .background_pairs import WHICH, BackgroundPairs
from .correctness import accuracies, is_right, right_answers
from .model_aware_metric import EvalBatch, ModelAwareMetric

GREY = 128  # of 0 to 255, before preprocessing


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
    - ``swap/images``: how many images have a mask.
    - ``swap/fair``: 0 where the model was trained with ``BackgroundSwap``. Such a model
      was trained on images of the kind that this metric tests. A warning says so.

    An image of several labels is right if all its labels are right. Another class is
    then an image that has none of the labels, the same class an image that has all.

    The other image is an image with a mask, chosen by a hash of seed and index, and
    comes through the data set's own pipeline.

    Needs a model-aware loop, see :class:`ModelAwareMetric`.

    Args:
        seed: Another seed chooses other backgrounds.
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        **kwargs: As in every mmengine metric.
    """
    default_prefix = 'swap'

    def __init__(self, seed: int = 0, border: float = 2.0, **kwargs):
        super().__init__(**kwargs)
        check_whole('seed', seed)
        check_number('border', border, least=0)
        self.seed = seed
        self.border = border
        self.fair = True
        self._pairs = None
        self._maskless = set()  # indices of images that turned out to have none

    def evaluate_batch(self, model: nn.Module, batch: EvalBatch) -> list[dict | None]:
        self._check_training(model)
        if self._pairs is None or self._pairs.dataset is not batch.dataset:
            self._pairs = BackgroundPairs(batch.dataset, self.seed)
            self._maskless.clear()
        values = [None] * len(batch.samples)
        if batch.masks is None or not batch.masks.guided.any():
            return values
        chosen = batch.masks.guided.nonzero().flatten().tolist()
        samples = [batch.samples[i] for i in chosen]
        inputs, objects = batch.inputs[chosen], batch.masks.objects[chosen]
        rows = [dict(original=is_right(s, s)) for s in samples]

        def predict(condition: str, images: Tensor, which: Sequence[int]) -> None:
            answers = right_answers(model, images, [samples[i] for i in which])
            for i, right in zip(which, answers):
                rows[i][condition] = right

        for condition in WHICH:
            others = {i: other for i, sample in enumerate(samples)
                      if (other := self._load_other(sample, condition)) is not None}
            if others:
                have = list(others)
                theirs = _prepare(model, list(others.values()), inputs.shape[-2:])
                predict(condition, swap_background(
                    inputs[have], objects[have], *theirs, self.border), have)
        grey = _preprocessed_grey(model, inputs), torch.zeros_like(objects)
        predict('no_background', swap_background(
            inputs, objects, *grey, self.border), range(len(samples)))
        predict('no_object', without_object(
            inputs, objects, self.border), range(len(samples)))
        for index, row in zip(chosen, rows):
            values[index] = row
        return values

    def compute_metrics(self, results: list) -> dict[str, float]:
        measured = [row for row in results if row]
        metrics = accuracies(measured)
        both = accuracies([row for row in measured if set(WHICH) <= set(row)])
        if both:
            metrics['gap'] = both['same_class'] - both['other_class']
        metrics.update(accuracies([
            dict(changed=row['original'] != row['other_class'])
            for row in measured if 'other_class' in row]))
        # floats, since mmengine's log file has None for other numbers
        return {**metrics, 'images': float(len(measured)), 'fair': float(self.fair)}

    def _load_other(self, sample, which: str) -> dict | None:
        """The first other image that has a mask, as the pipeline packs it."""
        for index in self._pairs.of(sample, which):
            if index not in self._maskless:
                packed = self._pairs.dataset[index]
                if packed['data_samples'].guided:
                    return packed
                self._maskless.add(index)
        return None

    def _check_training(self, model: nn.Module) -> None:
        augments = getattr(model.data_preprocessor, 'batch_augments', None)
        names = [type(a).__name__ for a in getattr(augments, 'augments', ())]
        if 'BackgroundSwap' in names and self.fair:
            self.fair = False
            print_log(
                'this model is trained with BackgroundSwap, on images of the kind that '
                'BackgroundSwapMetric tests: a comparison with models that were not is '
                f'not fair ({self.prefix}/fair is 0)', 'current', level=30)


def _prepare(model, packed: list[dict], size) -> tuple[Tensor, Tensor]:
    """Other images and their objects, preprocessed, at ``size``."""
    data = model.data_preprocessor(
        {key: [one[key] for one in packed] for key in ('inputs', 'data_samples')})
    images, objects = data['inputs'], data['masks'].objects
    if images.shape[-2:] != size:
        images = F.interpolate(images, size=size, mode='bilinear')
        objects = F.interpolate(objects[:, None].float(), size=size)[:, 0] > 0
    return images, objects


def _preprocessed_grey(model: nn.Module, like: Tensor) -> Tensor:
    image = torch.full((1, *like.shape[1:]), GREY, dtype=torch.uint8)
    grey = model.data_preprocessor(dict(inputs=image))['inputs']
    return grey[..., :like.shape[-2], :like.shape[-1]].expand_as(like)
