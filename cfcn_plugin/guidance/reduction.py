"""From what each image costs to what a step costs."""

import torch
import torch.distributed as dist
from torch import Tensor

REDUCTIONS = ('batch', 'guided')


def reduce_images(per_image: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """The mean over images.

    Args:
        per_image: (B,), each image's cost, 0 where it is unguided.
        weight: (B,), how far each image is guided, ``MaskBatch.weight``.
        reduction: ``'batch'`` divides by the batch size: what dummy masks of ones
            give in the paper. ``'guided'`` divides by the number of guided images over
            all ranks (one small collective a step), a mixed image counting by the
            fraction of its label that is guided.

    Returns:
        Scalar.
    """
    total = per_image.sum()
    if reduction == 'batch':
        return total / len(per_image)
    guided = weight.sum().to(total.dtype)
    ranks = 1
    if dist.is_available() and dist.is_initialized():
        ranks = dist.get_world_size()
        dist.all_reduce(guided)  # DDP averages gradients: the ranks' mean count
    return total / (guided / ranks).clamp(min=1 / ranks)


def zero_unguided(per_image: Tensor, guided: Tensor) -> Tensor:
    """Exactly 0 where an image is unguided, (B,): a NaN there stays its own."""
    return torch.where(guided, per_image, torch.zeros_like(per_image))


def masked_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Each image's mean over pixels, (B,), of (B, h, w) weighed by (B, h, w).

    0 where no pixel has a weight.
    """
    total = weight.flatten(1).sum(1)
    return (values * weight).flatten(1).sum(1) / total.clamp(min=1e-6)
