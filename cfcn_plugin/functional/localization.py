"""Localisation of a saliency map against the mask that a person drew."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .focus import causal_focus_ratio

TINY = 1e-12  # a metric wants the literal fraction, not a bounded gradient


def reduce_channels(activation: Tensor, target: Tensor | None = None) -> Tensor:
    """One rectified map (B, h, w) of feature maps (B, F, h, w).

    Args:
        activation: Feature maps.
        target: (B,) labels or (B, F) scores, if maps are classes. None: the mean over
            channels.
    """
    activation = activation.relu()
    if target is None:
        return activation.mean(1)
    if target.dim() == 1:
        return activation[torch.arange(len(target), device=target.device), target]
    weights = target / target.sum(1, keepdim=True).clamp(min=1)
    return (activation * weights[..., None, None]).sum(1)


def localization(
    saliency: Tensor, mask: Tensor, ignore: Tensor | None = None
) -> dict[str, Tensor]:
    """How well a saliency map lies on the mask that a person drew.

    Args:
        saliency: (B, h, w), non-negative.
        mask: (B, H, W), {0, 1}.
        ignore: (B, H, W) bool: pixels that count for nothing.

    Returns:
        (B,) float32 each:

        - energy: fraction of the saliency inside the mask (energy-based pointing game,
          Wang et al. 2020, Score-CAM), [0, 1].
        - energy_by_area: the energy over the mask's fraction of the image; a uniform
          map has 1.
        - pointing: 1 if the pixel of the largest saliency is inside (Zhang et al.
          2018), else 0.
        - iou: intersection over union of the mask and as many pixels of the largest
          saliency as the mask has.

        A dead map scores 0 in all.
    """
    mask = mask > 0
    known = torch.ones_like(mask) if ignore is None else ~(ignore > 0)
    mask = mask & known
    energy = causal_focus_ratio(
        saliency[:, None], mask, ignore=~known, eps=TINY, resize='activation'
    )[:, 0]
    area = mask.flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)
    # a pixel for a pixel of the mask, as the stretched map has it
    fine = F.interpolate(saliency[:, None], size=mask.shape[-2:], mode='bilinear')[:, 0]
    fine = fine.masked_fill(~known, -1).flatten(1)
    flat = mask.flatten(1)
    order = fine.argsort(dim=1, descending=True, stable=True)
    inside = flat.gather(1, order)  # the largest saliency first
    count = flat.sum(1)
    rank = torch.arange(inside.shape[1], device=inside.device)
    hits = (inside & (rank < count[:, None])).sum(1)
    active = (fine.amax(1) > 0).float()
    energy = energy.float() * active
    return dict(
        energy=energy,
        energy_by_area=energy / area.clamp(min=1e-12) * (area > 0),
        pointing=inside[:, 0].float() * active,
        iou=hits / (2 * count - hits).clamp(min=1) * active,
    )
