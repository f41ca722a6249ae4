"""Accuracy in other light, which a camera or the weather changes."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cfcn_plugin.options import check_number

from .correctness import accuracies, right_answers
from .model_aware_metric import EvalBatch, ModelAwareMetric

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)


class LightingCurve(ModelAwareMetric):
    """Top-1 accuracy in percent of all images at each of several factors.

    Adds ``PREFIX/FACTOR``, their mean ``PREFIX/mean`` and the least ``PREFIX/worst``.
    Of several labels, an image is right if all are. Images are changed as the
    pipeline packed them, before preprocessing, and stay 8-bit images: what gets
    brighter than white is white.

    Needs a model-aware loop, see :class:`ModelAwareMetric`.

    Args:
        factors: Each > 0; 1 leaves images as they are.
        **kwargs: As in every mmengine metric.
    """

    def __init__(self, factors: Sequence[float] = FACTORS, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(factors, Sequence):
            raise TypeError(f'`factors` must be a list of numbers, got {factors!r}')
        for factor in factors:
            check_number('factors', factor)
        if not factors or min(factors) <= 0 or len(set(factors)) < len(factors):
            raise ValueError(
                '`factors` must be different numbers above 0, at least '
                f'one, got {factors}'
            )
        self.factors = [float(factor) for factor in factors]

    @staticmethod
    @abstractmethod
    def change(image: Tensor, factor: float) -> Tensor:
        """An image (3, H, W), float32 in [0, 255], in another light, unbounded."""

    def evaluate_batch(self, model: nn.Module, batch: EvalBatch) -> list[dict | None]:
        rows = [{} for _ in batch.samples]
        for factor in self.factors:
            images = [self._changed(one, factor) for one in batch.images]
            inputs = model.data_preprocessor(dict(inputs=images))['inputs']
            for row, right in zip(rows, right_answers(model, inputs, batch.samples)):
                row[f'{factor:g}'] = right
        return rows

    def compute_metrics(self, results: list) -> dict[str, float]:
        return accuracies(results)

    def _changed(self, image: Tensor, factor: float) -> Tensor:
        if image.dtype != torch.uint8:
            raise TypeError(
                f'{type(self).__name__} changes 8-bit images, and the pipeline gives '
                f'{image.dtype}: let the data preprocessor normalise (`mean`, `std`)'
            )
        changed = self.change(image.float(), factor)
        return changed.round().clamp(0, 255).to(torch.uint8)


class BrightnessCurve(LightingCurve):
    """Accuracy with each pixel times a factor; see :class:`LightingCurve`.

    Adds ``brightness/0.5``, ..., ``brightness/mean`` and ``brightness/worst``.
    """

    default_prefix = 'brightness'

    @staticmethod
    def change(image: Tensor, factor: float) -> Tensor:
        return factor * image


class ContrastCurve(LightingCurve):
    """Accuracy with each pixel's distance from the image's mean times a factor; see
    :class:`LightingCurve`.

    Adds ``contrast/0.5``, ..., ``contrast/mean`` and ``contrast/worst``.
    """

    default_prefix = 'contrast'

    @staticmethod
    def change(image: Tensor, factor: float) -> Tensor:
        return torch.lerp(image.mean(), image, factor)
