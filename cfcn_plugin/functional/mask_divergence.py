"""How far a saliency map, as a distribution over cells, is from a mask."""

import torch
from torch import Tensor

from .attribution import faintest

LEAST = 1e-6  # of what is known of a cell, and of a mask's sum


def mask_divergence(
    saliency: Tensor,
    causal: Tensor,
    known: Tensor,
    cells: int,
    temperature: float = 1.0,
) -> Tensor:
    """KL divergence of a mask from the softmax of a saliency map (R4RR)::

        KL(q || p) = sum q log(q / p)
        q = M / sum M,  p = softmax(A' / T),  A' = (A - min A) / (max A - min A)

    A' is at most 1, so that no cell of p has more than exp(1 / T) times another: for a
    mask of a fraction m of the cells the least cost is
    ``log(1 + m (exp(1 / T) - 1)) - log(m) - 1 / T``, 1.46 for a tenth with T = 1.

    Args:
        saliency: A >= 0, (B, h, w). A dead map is uniform.
        causal: M, (B, h, w) in [0, 1], the fraction of a cell known to be causal.
        known: (B, h, w) in [0, 1], the fraction of a cell that is not ignored; its
            part in p.
        cells: h w of the saliency map before it was stretched.
        temperature: T, > 0.

    Returns:
        (B,) >= 0; 0 for an empty mask.
    """
    least, most = saliency.amin((1, 2), True), saliency.amax((1, 2), True)
    scaled = (saliency - least) / (most - least).clamp(min=faintest(cells))
    scores = scaled / temperature + known.clamp(min=LEAST).log()
    q = causal.flatten(1)
    q = q / q.sum(1, keepdim=True).clamp(min=LEAST)
    return (torch.xlogy(q, q) - q * scores.flatten(1).log_softmax(1)).sum(1)
