"""Right for the Right Reasons: no gradient where the context is."""

import torch
from torch import Tensor

from cfcn_plugin.functional.log_probability import log_probabilities
from cfcn_plugin.options import check_flag

from .guidance_batch import GuidanceBatch
from .reduction import zero_unguided
from .weighted import WeightedGuidance


class RightReasonsLoss(WeightedGuidance):
    """The input gradient on the context, squared (RRR).

    Ross et al., "Right for the right reasons", IJCAI 2017, their loss's second term::

        lambda * sum_d ( A_d * d/dx_d sum_k log p_k )^2

    over the channels and pixels d of an image. Their A is 1 on what is irrelevant:
    the context, the complement of our mask; pixels that are ignored count for nothing.
    Unlike the paper, images are averaged and not summed, so that lambda does not
    depend on the batch size.

    A mixed image's context is what is context in the mixture. Any feature hook
    target will do: no map is looked at.

    Cost: a backward pass to the images, and its own backward pass: on a
    ResNet-18, 2.4 to 2.9 times the time and 1.4 times the memory of a plain step
    (docs/benchmarks.md); far more for depthwise convolutions on a CPU. Re-entrant
    activation checkpointing cannot differentiate twice, and raises. Pixels' gradients
    are small: prefer bfloat16 to float16.

    Logs ``loss_right_reasons`` (with lambda in it) and ``right_reasons`` (without,
    detached).

    Args:
        loss_weight: lambda, >= 0. The paper takes 10 to 1000, so that the term has the
            size of the class loss; it grows with the number of pixels.
        multi_label: Whether probabilities are sigmoids: the sum of logarithms is then
            over both outcomes of each label.
        reduction: ``'batch'`` or ``'guided'``, as in ``CausalFocusLoss``.

    Raises:
        ValueError: An option is wrong.
    """

    needs_input_grad = True
    differentiates = True

    def __init__(
        self,
        loss_weight: float = 10.0,
        multi_label: bool = False,
        reduction: str = 'batch',
    ):
        super().__init__(loss_weight, reduction)
        check_flag('multi_label', multi_label)
        self.multi_label = multi_label

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        log_p = log_probabilities(batch.logits, self.multi_label)
        (gradient,) = torch.autograd.grad(log_p.sum(), batch.images, create_graph=True)
        on_context = (batch.masks.context[:, None] * gradient) ** 2
        penalty = zero_unguided(on_context.flatten(1).sum(1), batch.masks.guided)
        return self.terms('right_reasons', penalty, batch)
