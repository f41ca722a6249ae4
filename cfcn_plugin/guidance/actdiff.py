"""The same activations with and without the context (ActDiff)."""

from typing import Any

import torch
from torch import Tensor

from cfcn_plugin.functional import at_least_float32
from cfcn_plugin.options import check_choice

from .guidance_batch import GuidanceBatch
from .reduction import zero_unguided
from .weighted import WeightedGuidance

CONTEXTS = ('shuffle', 'zero')


class ActDiffLoss(WeightedGuidance):
    """Squared distance of an image's map to that without its context (ActDiff).

    Viviano et al., "Saliency is a possible red herring when diagnosing poor
    generalization", ICLR 2021::

        lambda * || A(x) - A(x') ||^2,  x' = M x + (1 - M) shuffle(x)

    ``shuffle`` exchanges pixels, so that the context has its colours and nothing
    else; here those of the context among themselves, so that nothing of the object
    lies in it. Pixels that are ignored stay with the object. Unlike the paper, the
    distance is a mean over the map, so that lambda does not depend on its size.
    Gradients flow through both passes.

    Of a mixed image the context is what is mostly context in the mixture, and it
    counts by the guided fraction of its label. Several feature hook targets cost
    their mean.

    Cost: one more forward pass, with its graph: twice the time and memory of the
    plain step. Dropout draws anew in it.

    Logs ``loss_actdiff`` (with lambda in it) and ``actdiff`` (without, detached).

    Args:
        loss_weight: lambda, >= 0.
        context: What becomes of it: ``'shuffle'``, or ``'zero'`` (the mean colour,
            where images are normalized).
        reduction: ``'batch'`` or ``'guided'``, as in ``CausalFocusLoss``.

    Raises:
        ValueError: An option is wrong.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        context: str = 'shuffle',
        reduction: str = 'batch',
    ):
        super().__init__(loss_weight, reduction)
        check_choice('context', context, CONTEXTS)
        self.context = context

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        masks = batch.masks
        context = masks.context > 0.5
        if self.context == 'shuffle':
            other = shuffle_context(batch.images, context)
        else:
            other = batch.images.masked_fill(context[:, None], 0)
        pairs = list(zip(batch.maps, batch.model.features(other)))
        distance: Any = sum(mean_square(*pair) for pair in pairs) / len(pairs)
        per_image = masks.weight * zero_unguided(distance, masks.guided)
        return self.terms('actdiff', per_image, batch)


def mean_square(ours: Tensor, theirs: Tensor) -> Tensor:
    """Of two maps (B, F, h, w), (B,), at least float32."""
    difference = at_least_float32(ours) - at_least_float32(theirs)
    return difference.square().mean((1, 2, 3))


def shuffle_context(inputs: Tensor, context: Tensor) -> Tensor:
    """Each image's context pixels in a random order, the others where they are.

    Args:
        inputs: (B, 3, H, W).
        context: (B, H, W) bool.

    Returns:
        (B, 3, H, W), a copy.
    """
    context = context.flatten(1)
    count = context.shape[1]
    place = torch.arange(count, device=inputs.device).expand_as(context)
    chance = torch.rand(context.shape, device=inputs.device).argsort(1)
    # context first, once in order and once in a random one; then the others, in order
    to = torch.where(context, place, count + place).argsort(1)
    source = torch.where(context, chance, count + place).argsort(1)
    pixels = inputs.flatten(2)
    to, source = (i[:, None].expand_as(pixels) for i in (to, source))
    return pixels.scatter(2, to, pixels.gather(2, source)).view_as(inputs)
