"""The same answer for one object on two backgrounds."""

import torch
from torch import Tensor

from cfcn_plugin.functional import at_least_float32
from cfcn_plugin.functional.compositing import HOLES, swap_within_batch
from cfcn_plugin.functional.log_probability import log_probabilities
from cfcn_plugin.options import check_choice, check_flag, check_number

from .guidance_batch import GuidanceBatch
from .reduction import zero_unguided
from .weighted import WeightedGuidance

METRICS = ('kl', 'square')


class ConsistencyLoss(WeightedGuidance):
    """Distance of an image's prediction to that of its object on another background::

        'kl'      KL(p(x) || p(x'))                      no gradient through p(x)
        'square'  mean_c (s_c(x) - s_c(x'))^2            of the logits s

    x' is the object of x on the context of another guided image of the batch, chosen at
    random (:func:`cfcn_plugin.functional.compositing.swap_within_batch`). The class
    loss is of x alone. With ``BackgroundSwap`` in the batch augments, x and the other
    image have been swapped already.

    ``'kl'`` is the consistency of UDA (Xie et al., "Unsupervised data augmentation for
    consistency training", NeurIPS 2020). ``'square'`` is, but for a factor, the
    variance of the logits over images of one object, the penalty of CoRe (Heinze-Deml
    and Meinshausen, "Conditional variance penalties and domain shift robustness",
    Machine Learning 2021); gradients flow through both passes.

    An image costs 0 if no other image of the batch (on this rank) is guided. Any
    feature hook target will do: no map is looked at.

    Cost: one more forward pass, with its graph: twice the time and memory of the plain
    step. Dropout draws anew in it.

    Logs ``loss_consistency`` (with its weight in it) and ``consistency`` (without,
    detached).

    Args:
        loss_weight: >= 0. 1 in UDA.
        metric: ``'kl'`` or ``'square'``.
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        hole: What is filled in the image that gives its context, ``'mask'`` or
            ``'box'``, as in ``BackgroundSwap``.
        multi_label: Whether probabilities are sigmoids: ``'kl'`` is then the mean over
            labels.
        reduction: ``'batch'`` or ``'guided'``, as in ``CausalFocusLoss``.

    Raises:
        ValueError: An option is wrong; in a step, a batch augment has mixed images.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        metric: str = 'kl',
        border: float = 2.0,
        hole: str = 'mask',
        multi_label: bool = False,
        reduction: str = 'batch',
    ):
        super().__init__(loss_weight, reduction)
        check_choice('metric', metric, METRICS)
        check_number('border', border, least=0)
        check_choice('hole', hole, HOLES)
        check_flag('multi_label', multi_label)
        self.metric = metric
        self.border = border
        self.hole = hole
        self.multi_label = multi_label

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        batch.refuse_mixed(self)
        masks = batch.masks
        order = torch.rand(len(batch.images), device=batch.images.device)
        images, is_swapped = swap_within_batch(
            batch.images, masks.objects, masks.guided, order, self.border, self.hole
        )
        distance = self.distance(batch.logits, batch.model.classify(images))
        return self.terms('consistency', zero_unguided(distance, is_swapped), batch)

    def distance(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """Of the logits (B, C) of images and of their other versions, (B,)."""
        if self.metric == 'square':
            difference = at_least_float32(ours) - at_least_float32(theirs)
            return difference.square().mean(1)
        log_p, log_q = (
            log_probabilities(s, self.multi_label) for s in (ours.detach(), theirs)
        )
        return (log_p.exp() * (log_p - log_q)).sum(-1).mean(1)
