"""Logarithms of the probabilities that class scores stand for."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .precision import at_least_float32


def log_probabilities(scores: Tensor, multi_label: bool = False) -> Tensor:
    """The log-probabilities of each distribution that an image's scores give.

    Args:
        scores: Logits, (B, C).
        multi_label: Whether each label is present or absent by itself (sigmoid), and
            not one class of all (softmax).

    Returns:
        At least float32: (B, 1, C), one distribution over classes; or (B, C, 2), one
        for each label, present and absent.
    """
    scores = at_least_float32(scores)
    if multi_label:
        return torch.stack([F.logsigmoid(scores), F.logsigmoid(-scores)], -1)
    return scores.log_softmax(1)[:, None]
