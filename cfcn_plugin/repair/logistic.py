"""Logistic regressions on the same features, fitted together by L-BFGS."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 200  # of L-BFGS at most; a fit takes some tens
HISTORY = 10  # steps that L-BFGS keeps, each of twice the size of all weights
SMALLEST = 1e-6  # of the largest standard deviation: a constant feature
BLOCK = 2**20  # logits at a time


class Linear(NamedTuple):
    """Weights of a linear layer: weight (C, F), bias (C,) or None."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, features: Tensor) -> Tensor:
        return F.linear(features, self.weight, self.bias)


def fit_logistic(
    features: Tensor,
    targets: Tensor,
    weights: Tensor,
    strengths: Sequence[float],
    bias: bool = True,
) -> Iterator[list[Linear]]:
    """Fit weights W and bias b on standardised features z, K times, by L-BFGS::

        min  sum_i w_i loss(W z_i + b, y_i) / sum_i w_i  +  |W|^2 / (2 strength)

    The K fits differ in the weights of images alone. L-BFGS minimises the sum of the K
    objectives, so that the features are read once for all. The mean and the standard
    deviation of a feature are those of all images.

    Args:
        features: (N, V, F) float32, of V views of each image.
        targets: (N, C) float in {0, 1}, the same for all views.
        weights: >= 0. (K, N): one label an image, for the softmax's cross entropy.
            (K, N, C): several labels, for the sigmoid's cross entropy of each class,
            summed over classes. An image of weight 0 is left out of the fit.
        strengths: Of the data over the penalty, > 0, best in rising order, since each
            fit begins where the fit before ended. A strength is scikit-learn's C times
            the sum of weights.
        bias: Whether there is a b; without it features are scaled and not centred.

    Yields:
        For each strength the K layers, for the features as given, not standardised.
    """
    scale = features.std((0, 1), correction=0)
    scale = scale.clamp(min=max(SMALLEST * scale.max().item(), 1e-12))
    centre = features.mean((0, 1)) if bias else torch.zeros_like(scale)
    inputs = torch.sub(features, centre).div_(scale)
    centre, scale = centre.double(), scale.double()
    views, fits, classes = features.shape[1], len(weights), targets.shape[1]
    weights = weights.double() / weights.double().sum(1, keepdim=True) / views
    weights = weights.movedim(0, 1)[:, None]  # (N, 1, K) or (N, 1, K, C)
    targets = targets[:, None, None]  # (N, 1, 1, C)
    weight = scale.new_zeros(fits, classes, len(scale), requires_grad=True)
    offset = scale.new_zeros(fits, classes, requires_grad=bias)
    images = max(1, BLOCK // (views * fits * classes))

    def closure(strength: float) -> Tensor:
        optimizer.zero_grad()
        total = weight.square().sum() / (2 * strength)
        total.backward()
        for part in zip(*(one.split(images) for one in (inputs, targets, weights))):
            # the product, which takes the time, in float32, all else in float64
            logits = F.linear(part[0], weight.flatten(0, 1).to(inputs))
            logits = logits.unflatten(-1, offset.shape).double() + offset
            loss = weighted_loss(logits, *part[1:])
            loss.backward()
            total = total.detach() + loss.detach()
        return total

    for strength in strengths:
        optimizer = torch.optim.LBFGS(
            [weight, offset] if bias else [weight],
            max_iter=STEPS,
            history_size=HISTORY,
            tolerance_change=1e-8,
            tolerance_grad=1e-6,
            line_search_fn='strong_wolfe',
        )
        with torch.enable_grad():
            optimizer.step(partial(closure, strength))
        found = weight.detach() / scale
        shift = offset.detach() - found @ centre
        yield [
            Linear(one.float(), two.float() if bias else None)
            for one, two in zip(found, shift)
        ]


def weighted_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum of the cross entropy.

    Args:
        logits: (..., C).
        targets: (..., C) in {0, 1}.
        weights: (...) for one label, (..., C) for several labels.
    """
    if weights.dim() == logits.dim():
        losses = F.softplus(logits) - logits * targets
    else:
        losses = logits.logsumexp(-1) - (logits * targets).sum(-1)
    return (weights * losses).sum()


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
