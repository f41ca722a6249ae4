"""The mean focus of a data set."""

import torch
from torch import nn

from cfcn_plugin.functional.localization import localization
from cfcn_plugin.guidance import CausalFocusLoss, guided_saliency

from .computed import ALONE, computed
from .model_aware_metric import EvalBatch, ModelAwareMetric


class FocusMetric(ModelAwareMetric):
    """Mean of each focus number over the images that have a mask.

    Adds to the log ``focus/ratio`` (as guidance is configured, 1 - its loss), beside it
    ``focus/best``, the most that maps of this size can have with these masks, and
    ``focus/uniform``, what uniform maps have,
    ``focus/energy``, ``focus/energy_by_area``, ``focus/pointing``, ``focus/iou``
    (:func:`cfcn_plugin.functional.localization.localization`, of the last map: the true
    class's where maps are classes, else the mean over channels), and how many images
    had a mask and had none: ``focus/guided``, ``focus/unguided``. Numbers are fractions
    in [0, 1], not percent.

    Needs a model-aware loop, see :class:`ModelAwareMetric`.

    Raises:
        ValueError: A map has NaN or infinite values.
    """

    default_prefix = 'focus'

    def evaluate_batch(self, model: nn.Module, batch: EvalBatch) -> list[dict | None]:
        step = batch.guidance
        if step is None:
            return [None] * len(batch.samples)
        saliency, masks = guided_saliency(step, model.maps_are_classes)
        values = localization(saliency, masks.mask.amax(1), masks.ignore)
        loss = _focus_loss(model)
        best, uniform = 1 - loss.bounds(step)
        values = (
            dict(ratio=1 - loss.per_image(step), best=best, uniform=uniform) | values
        )
        # one copy to the host for all
        table = torch.stack([v.to(torch.float32) for v in values.values()], 1).tolist()
        return [
            dict(zip(values, row)) if guided else None
            for row, guided in zip(table, step.masks.guided.tolist())
        ]

    def compute_metrics(self, results: list) -> dict[str, float]:
        return mean_scores(results)


def mean_scores(results: list[dict]) -> dict[str, float]:
    """Means over the guided images, and how many are guided (not empty) and are not."""
    from cfcn_plugin.metrics import GuidedMean  # slow to import

    names = next((list(row) for row in results if row), [])
    table = torch.tensor(
        [
            [row[name] for name in names] if row else [0.0] * len(names)
            for row in results
        ],
        dtype=torch.float64,
    )
    metric = GuidedMean(names, **ALONE).set_dtype(torch.float64)
    metric.update(
        dict(zip(names, table.unbind(1))), torch.tensor([bool(row) for row in results])
    )
    return computed(metric)


def _focus_loss(model: nn.Module) -> CausalFocusLoss:
    """The focus term as it is configured, alone or beside others."""
    for method in () if model.guidance is None else model.guidance.modules():
        if isinstance(method, CausalFocusLoss):
            return method
    return CausalFocusLoss(channels='target' if model.maps_are_classes else 'all')
