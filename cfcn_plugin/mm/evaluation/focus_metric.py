"""The mean focus of a data set."""
import torch
from torch import nn

from cfcn_plugin.functional.localization import localization, reduce_channels
from cfcn_plugin.guidance import CausalFocusLoss

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
        last = step.each_map()[-1]
        activation = last.maps[0].detach().float()
        check_finite(activation, 'the captured map')
        target = last.target if model.maps_are_classes else None
        values = localization(
            reduce_channels(activation, target), last.masks.mask.amax(1),
            last.masks.ignore)
        loss = _focus_loss(model)
        best, uniform = 1 - loss.bounds(step)
        values = dict(
            ratio=1 - loss.per_image(step), best=best, uniform=uniform) | values
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
    guided = [r for r in results if r]
    metrics = {name: sum(r[name] for r in guided) / len(guided)
               for name in (guided[0] if guided else ())}
    # floats, since mmengine's log file has None for other numbers
    return {**metrics, 'guided': float(len(guided)),
            'unguided': float(len(results) - len(guided))}


def _focus_loss(model: nn.Module) -> CausalFocusLoss:
    """The focus term as it is configured, alone or beside others."""
    for method in () if model.guidance is None else model.guidance.modules():
        if isinstance(method, CausalFocusLoss):
            return method
    return CausalFocusLoss(channels='target' if model.maps_are_classes else 'all')


def check_finite(maps: torch.Tensor, what: str,
                 images: torch.Tensor | None = None) -> None:
    """Raise a ValueError if maps (B, ...) have NaN or infinite values.

    Args:
        maps: Of the images.
        what: What the maps are, for the message.
        images: (B,) numbers of the images in their batch. None: 0 to B - 1.
    """
    bad = (~maps.isfinite()).flatten(1).any(1)
    if bad.any():
        numbers = bad.nonzero().flatten() if images is None else images[bad]
        raise ValueError(
            f'{what} has NaN or infinite values, in images {numbers.tolist()} of the '
            'batch: the weights have diverged (a lower learning rate or loss_weight), '
            'or half precision overflows')
