"""Where an explanation that was not trained on lies."""
import torch
from mmpretrain.structures import label_to_onehot
from torch import nn

from cfcn_plugin.functional.localization import focus_of_maps
from cfcn_plugin.guidance import GuidanceBatch

from .explanations import EXPLANATIONS
from .focus_metric import mean_scores
from .model_aware_metric import ModelAwareMetric, Shown


class ExplanationFocus(ModelAwareMetric):
    """Mean focus of an explanation of the true class, over the images with a mask.

    Adds ``METHOD/energy``, ``METHOD/energy_by_area``, ``METHOD/pointing``,
    ``METHOD/iou`` (:func:`cfcn_plugin.functional.localization.focus_scores`), shares in
    [0, 1]; ``METHOD/dead``, the share of images where nothing speaks for the class,
    which score 0 in all; and the counts ``METHOD/guided`` and ``METHOD/unguided``. Of
    several labels, the mean of their scores is explained; an image with a mask and no
    label counts as unguided.

    Needs a probing loop, see :class:`ModelAwareMetric`, and the extra ``explain``.

    Args:
        method: ``'grad_cam'`` or ``'input_x_gradient'``, see
            :mod:`cfcn_plugin.mm.evaluation.explanations`.
        layer: Of Grad-CAM, see there.
        collect_device, prefix: As in every mmengine metric. The prefix is by default
            the method.
    """

    def __init__(self,
                 method: str,
                 layer: str = 'auto',
                 collect_device: str = 'cpu',
                 prefix: str | None = None):
        if method not in EXPLANATIONS:
            raise ValueError(
                f'`method` must be one of {sorted(EXPLANATIONS)}, got {method!r}')
        if layer != 'auto' and method != 'grad_cam':
            raise ValueError(f"`layer` is Grad-CAM's, and method={method!r} has none")
        super().__init__(collect_device, prefix or method)
        self.method = method
        self.options = dict(layer=layer) if method == 'grad_cam' else {}

    def probe(self, model: nn.Module, shown: Shown) -> list[dict | None]:
        values = [None] * len(shown.samples)
        weights = _label_weights(shown)
        chosen = weights.any(1)
        if shown.masks is not None:
            chosen &= shown.masks.guided
        if shown.masks is None or not chosen.any():
            return values
        inputs, weights, masks = shown.inputs[chosen], weights[chosen], shown.masks
        explained = EXPLANATIONS[self.method](model, inputs, weights, **self.options)
        scores = focus_of_maps(GuidanceBatch(
            inputs=inputs,
            activation=explained.saliency[:, None],
            cls_score=weights,
            mask=masks.mask[chosen],
            ignore=masks.ignore[chosen],
            guided=masks.guided[chosen],
            target=weights,
            covers=(explained.covers, )))
        scores['dead'] = (explained.saliency.amax((1, 2)) <= 0).float()
        rows = torch.stack(list(scores.values()), 1).tolist()
        for index, row in zip(chosen.nonzero().flatten().tolist(), rows):
            values[index] = dict(zip(scores, row))
        return values

    def compute_metrics(self, results: list) -> dict[str, float]:
        return mean_scores(results)


def _label_weights(shown: Shown) -> torch.Tensor:
    """(B, C): one over the number of its labels at each of them."""
    classes = len(shown.samples[0].pred_score)
    onehot = torch.stack([
        label_to_onehot(s.gt_label.to(shown.inputs.device), classes)
        for s in shown.samples
    ]).to(shown.inputs.dtype)
    return onehot / onehot.sum(1, keepdim=True).clamp(min=1)
