"""Where the evidence lies: numbers of one map against one mask."""
import torch
import torch.nn.functional as F
from torch import Tensor

from cfcn_plugin.guidance import GuidanceBatch

from . import causal_focus_ratio

TINY = 1e-12  # measures want the literal share, not a bounded gradient


def focus_of_maps(seen: GuidanceBatch, maps_are_classes: bool = False) -> dict[str, Tensor]:
    """Focus of each image's one map: the true class's, else the mean over channels.

    Args:
        seen: A forward pass with its masks.
        maps_are_classes: Whether the map has one channel a class.

    Returns:
        (B,) float32 each, see :func:`focus_scores`.

    Raises:
        ValueError: The map has NaN.
    """
    seen = seen.each_map()[-1]
    activation = seen.activation.detach().float()
    if not activation.isfinite().all():
        bad = (~activation.isfinite()).flatten(1).any(1).nonzero().flatten().tolist()
        raise ValueError(
            f'the captured map has NaN or infinite values, in images {bad} of the '
            'batch: the weights have diverged (a lower learning rate or loss_weight), '
            'or half precision overflows')
    return focus_scores(
        one_map(activation, seen.target if maps_are_classes else None),
        seen.mask.amax(1), seen.ignore)


def one_map(activation: Tensor, target: Tensor | None = None) -> Tensor:
    """(B, F, h, w) to the (B, h, w) map that is looked at, rectified.

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


def focus_scores(saliency: Tensor, mask: Tensor,
                 ignore: Tensor | None = None) -> dict[str, Tensor]:
    """Localisation of a saliency map, against the mask that a person drew.

    Args:
        saliency: (B, h, w), non-negative.
        mask: (B, H, W), {0, 1}.
        ignore: (B, H, W) bool: pixels that count for nothing.

    Returns:
        (B,) float32 each:

        - energy: share of the saliency inside the mask (energy-based pointing game,
          Wang et al. 2020, Score-CAM), [0, 1].
        - energy_by_area: the same over the mask's share of the image; a uniform
          map has 1.
        - pointing: 1 if the hottest pixel is inside (Zhang et al. 2018), else 0.
        - iou: intersection over union of the mask and as many hottest pixels as the
          mask has.

        A dead map scores 0 in all.
    """
    mask = mask > 0
    known = torch.ones_like(mask) if ignore is None else ~(ignore > 0)
    mask = mask & known
    energy = causal_focus_ratio(
        saliency[:, None], mask, ignore=~known, eps=TINY, resize='activation')[:, 0]
    area = mask.flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)
    # a pixel for a pixel of the mask, as the stretched map has it
    fine = F.interpolate(saliency[:, None], size=mask.shape[-2:], mode='bilinear')[:, 0]
    fine = fine.masked_fill(~known, -1).flatten(1)
    flat = mask.flatten(1)
    order = fine.argsort(dim=1, descending=True, stable=True)
    inside = flat.gather(1, order)  # the hottest first
    count = flat.sum(1)
    rank = torch.arange(inside.shape[1], device=inside.device)
    hits = (inside & (rank < count[:, None])).sum(1)
    active_maps = (fine.amax(1) > 0).float()
    return dict(
        energy=energy.float() * active_maps,
        energy_by_area=energy.float() / area.clamp(min=1e-12) * active_maps * (area > 0),
        pointing=inside[:, 0].float() * active_maps,
        iou=hits / (2 * count - hits).clamp(min=1) * active_maps)
