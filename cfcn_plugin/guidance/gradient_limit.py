"""A term whose gradient in the maps stays below the class loss's."""
import torch
import torch.nn.functional as F
from torch import Tensor

from cfcn_plugin.functional import at_least_float32

from .guidance_batch import GuidanceBatch


def limit_gradient(per_image: Tensor, batch: GuidanceBatch, weight: float,
                   max_ratio: float, multi_label: bool = False) -> Tensor:
    """The same costs, with a smaller gradient where it were too large.

    With g the gradient of an image's cross entropy in the maps, and f that of the
    image's term, the term's gradient becomes::

        min(1, max_ratio |g| / |f|) f

    So the gradient of both is at an angle of at most 90 degrees to g
    (Cauchy-Schwarz): whatever the term's weight, a small step of the maps against it
    does not increase the cross entropy of the image.

    Cost: the gradients of both from the logits back to the maps; for maps far from
    the logits that is a good part of the backward pass.

    Args:
        per_image: (B,), each image's cost with its graph, 0 where it is unguided.
        batch: The step. Several maps: each has the norms of its own, and the smallest
            factor counts.
        weight: Factor that the costs get afterwards, >= 0.
        max_ratio: In (0, 1].
        multi_label: Whether the class loss is a cross entropy with sigmoids, summed
            over labels, and not with a softmax.

    Returns:
        (B,), equal to ``per_image``.
    """
    if not (torch.is_grad_enabled() and per_image.requires_grad):
        return per_image
    cells = batch.maps[0][0, 0].numel()  # so that half precision holds both gradients
    limits = _norms(batch, cells * cross_entropy(batch, multi_label))
    factor = torch.ones_like(per_image)
    for limit, norm in zip(limits, _norms(batch, cells * per_image)):
        limit, norm = max_ratio * limit, weight * norm
        factor = torch.where(norm > limit, torch.minimum(factor, limit / norm), factor)
    value = per_image.detach()
    return value + factor.to(value.dtype) * (per_image - value)


def cross_entropy(batch: GuidanceBatch, multi_label: bool = False) -> Tensor:
    """Each image's cross entropy, (B,); of several labels their sum."""
    scores, target = at_least_float32(batch.logits), batch.target
    if not multi_label:
        return F.cross_entropy(scores, target, reduction='none')
    if target.dim() == 1:
        target = F.one_hot(target, scores.shape[1])
    return F.binary_cross_entropy_with_logits(
        scores, target.to(scores.dtype), reduction='none').sum(1)


def _norms(batch: GuidanceBatch, cost: Tensor) -> list[Tensor]:
    """Norm of each image's gradient in each map, (B,) each."""
    return [at_least_float32(gradient).flatten(1).norm(dim=1)
            for gradient in batch.model.gradients(cost)]
