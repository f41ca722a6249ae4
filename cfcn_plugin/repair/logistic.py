"""Logistic regression on features, fitted by L-BFGS."""
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 200  # of L-BFGS at most; a fit takes some tens
SMALLEST = 1e-6  # of the largest standard deviation: a constant feature


class Linear(NamedTuple):
    """Weights of a linear layer: weight (C, F), bias (C,) or None."""
    weight: Tensor
    bias: Tensor | None

    def __call__(self, features: Tensor) -> Tensor:
        return F.linear(features, self.weight, self.bias)


def fit_logistic(features: Tensor,
                 targets: Tensor,
                 weights: Tensor,
                 strengths: Sequence[float],
                 bias: bool = True) -> Iterator[Linear]:
    """Fit weights W and bias b by L-BFGS on standardised features z::

        min  sum_i w_i loss(W z_i + b, y_i) / sum_i w_i  +  |W|^2 / (2 strength)

    Args:
        features: (N, F) float.
        targets: (N, C) float in [0, 1]. Rows of sum 1 are probabilities of classes, for
            the softmax's cross entropy, if ``weights`` are (N,).
        weights: >= 0. (N,): one label an image. (N, C): several labels, for the
            sigmoid's cross entropy of each class, summed over classes.
        strengths: Of the data over the penalty, > 0, best in rising order, since each
            fit begins where the fit before ended. A strength is scikit-learn's C times
            the sum of weights.
        bias: Whether there is a b; without it features are scaled and not centred.

    Yields:
        For each strength the layer for the features as given, not standardised.
    """
    features, targets = features.double(), targets.double()
    scale = features.std(0, correction=0)
    scale = scale.clamp(min=max(SMALLEST * scale.max().item(), 1e-12))
    centre = features.mean(0) if bias else torch.zeros_like(scale)
    inputs = (features - centre) / scale
    weights = weights.double() / weights.sum(0)
    weight = inputs.new_zeros(targets.shape[1], inputs.shape[1], requires_grad=True)
    offset = inputs.new_zeros(targets.shape[1], requires_grad=bias)

    def closure(strength: float) -> Tensor:
        optimizer.zero_grad()
        loss = weighted_loss(F.linear(inputs, weight, offset), targets, weights)
        loss = loss + weight.square().sum() / (2 * strength)
        loss.backward()
        return loss

    for strength in strengths:
        optimizer = torch.optim.LBFGS(
            [weight, offset] if bias else [weight], max_iter=STEPS,
            tolerance_change=1e-9, line_search_fn='strong_wolfe')
        with torch.enable_grad():
            optimizer.step(partial(closure, strength))
        found = weight.detach() / scale
        yield Linear(found.float(),
                     (offset.detach() - found @ centre).float() if bias else None)


def weighted_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum of the cross entropy; arguments as in :func:`fit_logistic`."""
    if weights.dim() == 2:
        return (weights * F.binary_cross_entropy_with_logits(
            logits, targets, reduction='none')).sum()
    return (weights * F.cross_entropy(logits, targets, reduction='none')).sum()


def balanced_weights(targets: Tensor, several: bool) -> Tensor:
    """Weights with which each class counts equally, summing to 1.

    Args:
        targets: (N, C) float in {0, 1}.
        several: Whether an image has several labels; then presence and absence of each
            class count equally, and the weights are (N, C), else (N,).
    """
    present = targets / targets.sum(0).clamp(min=1)
    if not several:
        return present.sum(1) / present.sum()
    absent = (1 - targets) / (1 - targets).sum(0).clamp(min=1)
    return (present + absent) / (present + absent).sum(0)
