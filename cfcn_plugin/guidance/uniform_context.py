"""A uniform answer where the object is not there."""

import math

from torch import Tensor

from cfcn_plugin.functional.compositing import HOLES, hole_of, without_object
from cfcn_plugin.functional.log_probability import log_probabilities
from cfcn_plugin.options import check_choice, check_flag, check_number

from .guidance_batch import GuidanceBatch
from .reduction import zero_unguided
from .weighted import WeightedGuidance


class UniformContextLoss(WeightedGuidance):
    """Divergence from uniform of the prediction on an image without its object::

        KL(u || p(x')) = -log C - 1 / C * sum_c log p_c(x'),  u = 1 / C

    x' is x with its object filled by the smooth colour of what is around it
    (:func:`cfcn_plugin.functional.compositing.without_object`), so that p(x') comes
    from the context alone. The gradient is that of the cross entropy to the uniform
    distribution of outlier exposure (Hendrycks et al., "Deep anomaly detection with
    outlier exposure", ICLR 2019), whose outliers are here the contexts.

    A hole by an outline still shows the outline: ``hole='box'`` shows none. An image
    that is object all over becomes its mean colour. Any feature hook target will do:
    no map is looked at.

    Cost: one more forward pass, with its graph: twice the time and memory of the plain
    step. Dropout draws anew in it.

    Logs ``loss_uniform_context`` (with its weight in it) and ``uniform_context``
    (without, detached).

    Args:
        loss_weight: >= 0. 0.5 in outlier exposure.
        border: Standard deviation of the hole's blurred edge, pixels, >= 0.
        hole: What is filled: the object by its ``'mask'``, or the ``'box'`` around it.
        multi_label: Whether probabilities are sigmoids: the mean over labels, each
            uniform over present and absent.
        reduction: ``'batch'`` or ``'guided'``, as in ``CausalFocusLoss``.

    Raises:
        ValueError: An option is wrong; in a step, a batch augment has mixed images.
    """

    def __init__(
        self,
        loss_weight: float = 0.5,
        border: float = 2.0,
        hole: str = 'mask',
        multi_label: bool = False,
        reduction: str = 'batch',
    ):
        super().__init__(loss_weight, reduction)
        check_number('border', border, least=0)
        check_choice('hole', hole, HOLES)
        check_flag('multi_label', multi_label)
        self.border = border
        self.hole = hole
        self.multi_label = multi_label

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        batch.refuse_mixed(self)
        masks = batch.masks
        context = without_object(
            batch.images, hole_of(masks.objects, self.hole), self.border
        )
        log_p = log_probabilities(batch.model.classify(context), self.multi_label)
        divergence = (-log_p.mean(-1) - math.log(log_p.shape[-1])).mean(1)
        per_image = zero_unguided(divergence, masks.guided)
        return self.terms('uniform_context', per_image, batch)
