"""How much of an explanation lies inside the mask."""

import torch
from mmpretrain.structures import label_to_onehot
from torch import nn

from cfcn_plugin.features.explanations import EXPLANATIONS
from cfcn_plugin.functional.localization import localization
from cfcn_plugin.guidance.guided_saliency import check_finite

from .focus_metric import mean_scores
from .model_aware_metric import EvalBatch, ModelAwareMetric


class ExplanationFocus(ModelAwareMetric):
    """Mean focus of an explanation of the true class, over the images with a mask.

    Adds ``METHOD/energy``, ``METHOD/energy_by_area``, ``METHOD/pointing``,
    ``METHOD/iou`` (:func:`cfcn_plugin.functional.localization.localization`), fractions
    in [0, 1]; ``METHOD/dead``, the fraction of images whose saliency map is 0
    everywhere, which score 0 in all; and the counts ``METHOD/guided`` and
    ``METHOD/unguided``. Of several labels, the mean of their scores is explained. An
    image with a mask and no label counts as unguided.

    Needs a model-aware loop, see :class:`ModelAwareMetric`.

    Args:
        method: ``'grad_cam'`` or ``'input_x_gradient'``, see
            :mod:`cfcn_plugin.features.explanations`.
        layer: Of Grad-CAM, see there.
        prefix: Of the log keys. None: the method.
        **kwargs: As in every mmengine metric.

    Raises:
        ValueError: An option is wrong; a saliency map has NaN or infinite values.
    """

    def __init__(
        self, method: str, layer: str = 'auto', prefix: str | None = None, **kwargs
    ):
        if method not in EXPLANATIONS:
            raise ValueError(
                f'`method` must be one of {sorted(EXPLANATIONS)}, got {method!r}'
            )
        if layer != 'auto' and method != 'grad_cam':
            raise ValueError(f"`layer` is Grad-CAM's, and method={method!r} has none")
        super().__init__(prefix=prefix or method, **kwargs)
        self.method = method
        self.options = dict(layer=layer) if method == 'grad_cam' else {}

    def evaluate_batch(self, model: nn.Module, batch: EvalBatch) -> list[dict | None]:
        rows = [None] * len(batch.samples)
        if batch.masks is None:
            return rows
        weights = _label_weights(batch)
        chosen = weights.any(1) & batch.masks.guided
        if not chosen.any():
            return rows
        explained = EXPLANATIONS[self.method](
            model, batch.inputs[chosen], weights[chosen], **self.options
        )
        indices = chosen.nonzero().flatten()
        check_finite(explained.saliency, f"the saliency map '{self.method}'", indices)
        masks = batch.masks.cropped(explained.covers)
        scores = localization(
            explained.saliency, masks.mask[chosen].amax(1), masks.ignore[chosen]
        )
        scores['dead'] = (explained.saliency.amax((1, 2)) <= 0).float()
        table = torch.stack(list(scores.values()), 1).tolist()
        for index, row in zip(indices.tolist(), table):
            rows[index] = dict(zip(scores, row))
        return rows

    def compute_metrics(self, results: list) -> dict[str, float]:
        return mean_scores(results)


def _label_weights(batch: EvalBatch) -> torch.Tensor:
    """(B, C): one over the number of its labels at each of an image's labels."""
    classes = len(batch.samples[0].pred_score)
    onehot = torch.stack(
        [
            label_to_onehot(s.gt_label.to(batch.inputs.device), classes)
            for s in batch.samples
        ]
    ).to(batch.inputs.dtype)
    return onehot / onehot.sum(1, keepdim=True).clamp(min=1)
