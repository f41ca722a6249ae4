"""The precision that sums are taken in."""

import torch
from torch import Tensor


def at_least_float32(tensor: Tensor) -> Tensor:
    """The same tensor, or float32 instead of half precision, where sums overflow."""
    return tensor.to(compute_dtype(tensor))


def compute_dtype(activation: Tensor) -> torch.dtype:
    """The dtype to compute in, at least float32.

    In half precision eps vanishes and sums overflow.
    """
    return torch.promote_types(activation.dtype, torch.float32)
