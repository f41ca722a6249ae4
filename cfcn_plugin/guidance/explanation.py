"""Grad-CAM against the mask, by one of five metrics."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from cfcn_plugin.functional import RESIZES, causal_focus_loss, resize_mask
from cfcn_plugin.functional.attribution import (
    class_score,
    faintest,
    grad_cam,
    normalize,
)
from cfcn_plugin.functional.mask_divergence import mask_divergence
from cfcn_plugin.options import check_choice, check_flag, check_number

from .guidance_batch import GuidanceBatch
from .reduction import masked_mean, zero_unguided
from .weighted import WeightedGuidance

METRICS = ('energy', 'l1', 'square', 'cross_entropy', 'kl')
LEAST = 1e-6  # of A' in a logarithm, and of a cell that is known


class ExplanationLoss(WeightedGuidance):
    """Grad-CAM of the true class against the mask (Model-Guidance, GRADIA).

    Rao et al., "Studying how to efficiently and effectively guide models with
    explanations", ICCV 2023, their losses on Grad-CAM's A >= 0, and on A', which is A
    over its largest value, for a mask M::

        'energy'         1 - sum(A M) / sum(A)
        'l1'             mean |A' - M|          (GRADIA, Gao et al. 2022)
        'square'         mean (A' (1 - M))^2    (RRR* there)
        'cross_entropy'  mean over M of -log A' (PPCE there; HAICS, Shen et al. 2021)

    Energy is :func:`cfcn_plugin.functional.causal_focus_loss` of one map. Ignored
    pixels count for nothing. Unlike the paper, ``'square'`` is a mean, so that its
    weight does not depend on the grid.

    The fifth is the loss of R4RR, in which A is a class activation map W_y F. Where a
    linear layer follows average pooling, Grad-CAM is this map over h w, and the factor
    has no effect::

        'kl'             KL(M / sum M || softmax(A'' / T)),  A'' = A from 0 to 1

    :func:`cfcn_plugin.functional.mask_divergence.mask_divergence` says what its least
    value is. R4RR takes T = 1 and a weight of 496, and begins when the classes are
    learned (``begin`` of ``GuidanceWarmUpHook``): a class whose weights are still 0 has
    a dead map. Unlike in R4RR, masks shrink by exact area.

    Several labels have one map, that of their mean score. A mixed image costs what its
    components cost, by their fractions of the label. Several feature hook targets cost
    their mean.

    Cost: the gradient from the score back to the map (for each component of mixed
    images), and with ``second_order`` once more in the backward pass. On the last map
    the cost is small.

    Logs ``loss_explanation`` (with its weight in it), ``explanation`` (without,
    detached), and ``active_maps``, the fraction of images whose map is not 0
    everywhere. A map that stays dead (the patches of a transformer that classifies by
    its last class token) trains nothing.

    Args:
        loss_weight: >= 0.
        metric: One of the five above.
        second_order: Whether gradients flow through Grad-CAM's weights, too, as in
            both papers, or stop at them, as in GAIN. On a map before a transformer's
            last block they must stop: fused attention has no second derivative.
        resize: ``'mask'`` shrinks the mask to the map by exact area, ``'activation'``
            stretches the map to the mask, bilinearly.
        reduction: ``'batch'`` or ``'guided'``, as in ``CausalFocusLoss``.
        temperature: T of ``'kl'``, > 0; 1 in R4RR. A smaller T lets the softmax of a
            map come closer to the mask.

    Raises:
        ValueError: An option is wrong.
    """

    differentiates = True

    def __init__(
        self,
        loss_weight: float = 1.0,
        metric: str = 'energy',
        second_order: bool = True,
        resize: str = 'mask',
        reduction: str = 'batch',
        temperature: float = 1.0,
    ):
        super().__init__(loss_weight, reduction)
        check_flag('second_order', second_order)
        check_choice('metric', metric, METRICS)
        check_choice('resize', resize, RESIZES)
        check_number('temperature', temperature, above=0)
        if temperature != 1 and metric != 'kl':
            raise ValueError(
                "`temperature` is an option of metric='kl', got metric="
                f"'{metric}': leave `temperature` out"
            )
        self.metric = metric
        self.second_order = second_order
        self.resize = resize
        self.temperature = temperature

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        per_image: Any = 0
        active_maps: Any = 0
        steps: list = [
            (batch.of_component(c), c.weight) for c in batch.masks.components
        ]
        for step, weight in steps or [(batch, 1)]:
            maps = self.explanations(step)
            outside: Any = sum(map(self.outside, maps, step.each_map())) / len(maps)
            per_image = per_image + weight * zero_unguided(outside, step.masks.guided)
            dead = [
                (one.detach().amax((1, 2)) <= faintest(one[0].numel())).float()
                for one in maps
            ]
            active_maps = active_maps + 1 - sum(dead) / len(dead)
        terms = self.terms('explanation', per_image, batch)
        return dict(terms, active_maps=active_maps.mean() / max(len(steps), 1))

    def explanations(self, batch: GuidanceBatch) -> list[Tensor]:
        """Grad-CAM of the true class in each map, (B, h, w)."""
        gradients = batch.model.gradients(
            class_score(batch.logits, batch.target), create_graph=self.second_order
        )
        return [grad_cam(*pair) for pair in zip(batch.maps, gradients)]

    def outside(self, saliency: Tensor, batch: GuidanceBatch) -> Tensor:
        """The metric of each image's saliency map and mask, (B,); small is good."""
        cells = saliency[0].numel()
        if self.metric == 'energy':
            return causal_focus_loss(
                saliency[:, None],
                batch.masks.mask.amax(1),
                ignore=batch.masks.ignore,
                eps=faintest(cells) / cells,
                resize=self.resize,
                reduction='none',
            )
        causal, known = (
            m.to(saliency.dtype) for m in (batch.masks.causal, batch.masks.known)
        )
        if self.resize == 'mask':
            size = saliency.shape[-2:]
            causal, known = (resize_mask(m, size) for m in (causal, known))
        else:
            saliency = F.interpolate(
                saliency[:, None], size=causal.shape[-2:], mode='bilinear'
            )[:, 0]
        if self.metric == 'kl':
            return mask_divergence(saliency, causal, known, cells, self.temperature)
        saliency = normalize(saliency, cells)
        mask = causal / known.clamp(min=LEAST)  # of what is known of a cell
        if self.metric == 'l1':
            return masked_mean((saliency - mask).abs(), known)
        if self.metric == 'square':
            return masked_mean((saliency * (1 - mask)) ** 2, known)
        return masked_mean(-saliency.clamp(min=LEAST).log(), causal)
