"""From what each picture costs to what a step costs."""
import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor

REDUCTIONS = ('batch', 'guided')


def reduce_images(per_image: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """The mean over pictures.

    Args:
        per_image: (B,), each picture's cost, 0 where it is unguided.
        weight: (B,), how far each picture is guided, ``seen.weight``.
        reduction: ``'batch'`` divides by the batch size: what dummy masks of ones
            give in the paper. ``'guided'`` divides by the number of guided images over
            all ranks (one small collective a step), a mixed picture counting by the
            share of its label that is guided.

    Returns:
        Scalar.
    """
    total = per_image.sum()
    if reduction == 'batch':
        return total / len(per_image)
    guided = weight.sum().to(total.dtype)
    all_reduce(guided)  # DDP averages gradients: the ranks' mean count
    return total / (guided / get_world_size()).clamp(min=1 / get_world_size())


def only_guided(per_image: Tensor, guided: Tensor) -> Tensor:
    """Exactly 0 where a picture is unguided, (B,): a NaN there stays its own."""
    return torch.where(guided, per_image, torch.zeros_like(per_image))


def masked_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Each picture's mean over pixels, (B,), of (B, h, w) weighed by (B, h, w).

    0 where no pixel has a weight.
    """
    total = weight.flatten(1).sum(1)
    return (values * weight).flatten(1).sum(1) / total.clamp(min=1e-6)
