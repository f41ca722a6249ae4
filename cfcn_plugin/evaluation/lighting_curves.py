"""Accuracy in other light: what a camera or the weather changes, and no cause does."""
from abc import abstractmethod
from collections.abc import Sequence

import torch
from mmpretrain.registry import METRICS
from torch import Tensor, nn

from .answering import accuracies, right_answers
from .probing import ProbingMetric, Shown

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)


class LightingCurve(ProbingMetric):
    """Top-1 accuracy in percent of all images at each of several factors.

    Adds ``PREFIX/FACTOR``, their mean ``PREFIX/mean`` and the least ``PREFIX/worst``.
    Of several labels, an image is right if all are. Pictures are changed as the
    pipeline packed them, before preprocessing, and stay 8-bit pictures: what gets
    brighter than white is white.

    Needs a probing loop, see :class:`ProbingMetric`.

    Args:
        factors: Each > 0; 1 leaves pictures as they are.
        collect_device, prefix: As in every mmengine metric.
    """

    def __init__(self,
                 factors: Sequence[float] = FACTORS,
                 collect_device: str = 'cpu',
                 prefix: str | None = None):
        super().__init__(collect_device, prefix)
        factors = [float(factor) for factor in factors]
        if not factors or min(factors) <= 0 or len(set(factors)) < len(factors):
            raise ValueError('`factors` must be different numbers above 0, at least '
                             f'one, got {factors}')
        self.factors = factors

    @staticmethod
    @abstractmethod
    def change(picture: Tensor, factor: float) -> Tensor:
        """A picture (3, H, W), float32 in [0, 255], in another light, unbounded."""

    def probe(self, model: nn.Module, shown: Shown) -> list[dict | None]:
        rows = [{} for _ in shown.samples]
        for factor in self.factors:
            pictures = [self._changed(one, factor) for one in shown.pictures]
            inputs = model.data_preprocessor(dict(inputs=pictures))['inputs']
            for row, right in zip(rows, right_answers(model, inputs, shown.samples)):
                row[f'{factor:g}'] = right
        return rows

    def compute_metrics(self, results: list) -> dict[str, float]:
        curve = accuracies(results)
        return {
            **curve, 'mean': sum(curve.values()) / len(curve),
            'worst': min(curve.values())
        }

    def _changed(self, picture: Tensor, factor: float) -> Tensor:
        if picture.dtype != torch.uint8:
            raise TypeError(
                f'{type(self).__name__} changes 8-bit pictures, and the pipeline gives '
                f'{picture.dtype}: let the data preprocessor normalise, by its `mean` '
                'and `std`')
        changed = self.change(picture.float(), factor)
        return changed.round().clamp(0, 255).to(torch.uint8)


@METRICS.register_module()
class BrightnessCurve(LightingCurve):
    """Accuracy with each pixel times a factor; see :class:`LightingCurve`.

    Adds ``brightness/0.5``, ..., ``brightness/mean`` and ``brightness/worst``.
    """
    default_prefix = 'brightness'

    @staticmethod
    def change(picture: Tensor, factor: float) -> Tensor:
        return factor * picture


@METRICS.register_module()
class ContrastCurve(LightingCurve):
    """Accuracy with each pixel's distance from the picture's mean times a factor; see
    :class:`LightingCurve`.

    Adds ``contrast/0.5``, ..., ``contrast/mean`` and ``contrast/worst``.
    """
    default_prefix = 'contrast'

    @staticmethod
    def change(picture: Tensor, factor: float) -> Tensor:
        return torch.lerp(picture.mean(), picture, factor)
