"""The focus of a map on its mask: CFCN, Eq. 1 to 3."""

import torch
from torch import Tensor

from cfcn_plugin.options import check_number

from .focus_kernel import focus_ratio, mask_planes
from .precision import at_least_float32
from .resize import RESIZES

REDUCTIONS = ('batch', 'guided', 'none')


def causal_focus_ratio(
    activation: Tensor,
    mask: Tensor,
    *,
    ignore: Tensor | None = None,
    eps: float = 1e-4,
    resize: str = 'mask',
) -> Tensor:
    """Fraction of each map's activation that lies inside the mask.

    The bracket of CFCN, Eq. 1 to 3::

        ratio_f = sum_jk (A * A_f)_jk / (sum_jk (A_f)_jk + eps * h * w)

    Unlike the paper, maps are rectified here (modern backbones are signed) and
    ``eps`` is a mean activation: the gradient is then at most
    ``1 / (eps * h * w)`` on any grid. The literal equation is a tiny ``eps``.

    The only tensor of the map's size kept for the backward pass is the
    caller's own map. Sums are taken in float32, or float64 for a float64 map.

    Args:
        activation: Feature maps A_f, (B, F, h, w), floating point. Negative
            values count as 0. NaN propagates.
        mask: Human activation mask A of any size, (B, H, W) or (B, 1, H, W) for
            one mask an image, (B, F, H, W) for one mask a map (Eq. 3). bool or
            uint8 (non-zero is causal), or floating point in [0, 1].
        ignore: (B, H, W) bool, or floating point in [0, 1]: pixels left out of
            numerator and denominator.
        eps: Mean activation, > 0, under which a map counts as dead.
        resize: How the sizes are matched. ``'mask'`` shrinks (or grows) the
            mask by exact fractional area; ``'activation'`` stretches the map to
            the mask's size, bilinearly. The paper does both.

    Returns:
        (B, F) float32 (float64 for float64 maps) in [0, 1]; 0 for a dead map.

    Raises:
        ValueError: A shape or option is wrong; the message names the argument,
            what was expected and what came.
    """
    mask = _checked_mask(activation, mask, ignore, resize)
    check_number('eps', eps, above=0)
    return focus_ratio(activation, mask, ignore, eps, resize)


@torch.no_grad()
def focus_ratio_bounds(
    activation: Tensor,
    mask: Tensor,
    *,
    ignore: Tensor | None = None,
    resize: str = 'mask',
) -> tuple[Tensor, Tensor]:
    """What a ratio of these masks is to be compared with, whatever the map's values.

    A coarse grid cannot separate a small object from its context: a map that is active
    in one cell alone, the best one, has the fraction of the mask in this cell.

    Args:
        activation: (B, F, h, w), of which the size and the precision count.
        mask, ignore, resize: As for :func:`causal_focus_ratio`, with any number of
            masks an image, (B, K, H, W).

    Returns:
        (B, K) each: the largest ratio that a map of this size can have, and the ratio
        of a uniform map, the fraction of the image that the mask has. For ``eps`` that
        is small.
    """
    mask = _checked_mask(
        activation[:, :1].expand(-1, mask.shape[1], -1, -1)
        if mask.dim() == 4
        else activation,
        mask,
        ignore,
        resize,
    )
    planes = mask_planes(activation, mask, ignore, resize)
    inside, valid = (planes[:, None] if planes.dim() == 3 else planes).unbind(2)
    tiny = torch.finfo(inside.dtype).tiny
    best = (inside / valid.clamp(min=tiny)).amax(-1).clamp(max=1)  # a rounding above 1
    return best, inside.sum(-1) / valid.sum(-1).clamp(min=tiny)


def causal_focus_loss(
    activation: Tensor,
    mask: Tensor,
    *,
    target: Tensor | None = None,
    guided: Tensor | None = None,
    ignore: Tensor | None = None,
    eps: float = 1e-4,
    resize: str = 'mask',
    reduction: str = 'batch',
) -> Tensor:
    """Fraction of the activation that lies on the context: 0 best, 1 worst.

    CFCN, Eq. 1 without ``target`` (mean over maps), Eq. 2 with ``target`` (the
    true class's map), Eq. 3 with a mask of F planes. An unguided image gives
    exactly nothing, in value and in gradient.

    Args:
        activation: As for :func:`causal_focus_ratio`.
        mask: As for :func:`causal_focus_ratio`. What it holds for an unguided
            image does not matter.
        target: (B,) int64 picks one map an image; (B, F) scores weigh the
            maps' losses and sum them, so that one-hot scores are the same as
            the index. None averages over maps.
        guided: (B,) bool, True where a person gave a mask. None means all.
        ignore: As for :func:`causal_focus_ratio`.
        eps: As for :func:`causal_focus_ratio`.
        resize: As for :func:`causal_focus_ratio`.
        reduction: ``'batch'`` divides the guided images' sum by the batch size:
            what the paper's dummy masks of ones give. ``'guided'`` divides by
            the number of guided images in this batch (1 if there are none).
            ``'none'`` gives each image's loss.

    Returns:
        Scalar, float32 (float64 for float64 maps); (B,) for ``'none'``. Exactly 0,
        with a graph, for a batch without a guided image.

    Raises:
        ValueError: A shape or option is wrong.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f'`reduction` must be one of {REDUCTIONS}, got {reduction!r}')
    outside = 1 - causal_focus_ratio(
        activation, mask, ignore=ignore, eps=eps, resize=resize
    )  # (B, F)
    per_image = _pick(outside, target)  # (B,)
    if guided is not None:
        if guided.dtype != torch.bool or guided.shape != per_image.shape:
            raise ValueError(
                f'`guided` must be bool of shape ({len(per_image)},), got '
                f'{guided.dtype} of shape {tuple(guided.shape)}'
            )
        # where, not a product: an unguided NaN must not become a guided one
        per_image = torch.where(guided, per_image, torch.zeros_like(per_image))
    if reduction == 'none':
        return per_image
    if reduction == 'guided' and guided is not None:
        return per_image.sum() / guided.sum().clamp(min=1)
    return per_image.mean()


def pool_channels(activation: Tensor, weights: Tensor | None = None) -> Tensor:
    """One map of all channels, sum_f w_f A_f.

    Args:
        activation: (B, F, h, w) >= 0.
        weights: (B, F) >= 0, of sum 1. None: 1 / F each.

    Returns:
        (B, 1, h, w). The fraction of this map inside a mask counts each channel by its
        activity.
    """
    if weights is None:
        return activation.mean(1, keepdim=True)
    with torch.autocast(activation.device.type, enabled=False):
        activation = at_least_float32(activation)
        return torch.einsum('bf,bfhw->bhw', weights.to(activation.dtype), activation)[
            :, None
        ]


def _pick(outside: Tensor, target: Tensor | None) -> Tensor:
    """(B, F) losses of maps to (B,) losses of images."""
    if target is None:
        return outside.mean(1)
    batch, maps = outside.shape
    if target.shape == (batch,) and not target.is_floating_point():
        return outside.gather(1, target.long()[:, None])[:, 0]
    if target.shape == (batch, maps):
        return (outside * target).sum(1)
    raise ValueError(
        f'`target` must be int64 of shape ({batch},) or scores of shape ({batch}, '
        f'{maps}), one a map, got {target.dtype} of shape {tuple(target.shape)}'
    )


def _checked_mask(
    activation: Tensor, mask: Tensor, ignore: Tensor | None, resize: str
) -> Tensor:
    _check_map(activation)
    mask = _check_mask(mask, activation)
    if ignore is not None:
        _check_ignore(ignore, mask)
    if resize not in RESIZES:
        raise ValueError(f'`resize` must be one of {RESIZES}, got {resize!r}')
    return mask


def _check_map(activation: Tensor) -> None:
    if (
        activation.dim() != 4
        or not activation.is_floating_point()
        or 0 in activation.shape
    ):
        raise ValueError(
            '`activation` must be floating point of shape (B, F, h, w), none of '
            f'them 0, got {activation.dtype} of shape {tuple(activation.shape)}'
        )


def _check_mask(mask: Tensor, activation: Tensor) -> Tensor:
    """The mask as (B, 1, H, W) or (B, F, H, W)."""
    batch, maps = activation.shape[:2]
    full = mask[:, None] if mask.dim() == 3 else mask
    if (
        full.dim() != 4
        or full.shape[0] != batch
        or full.shape[1] not in (1, maps)
        or 0 in full.shape
    ):
        raise ValueError(
            f'`mask` must have shape ({batch}, H, W), ({batch}, 1, H, W) or '
            f'({batch}, {maps}, H, W), got {tuple(mask.shape)}'
        )
    if full.dtype not in (torch.bool, torch.uint8) and not full.is_floating_point():
        raise ValueError(
            f'`mask` must be bool, uint8 or floating point in [0, 1], got {mask.dtype}'
        )
    return full


def _check_ignore(ignore: Tensor, mask: Tensor) -> None:
    expected = (mask.shape[0], *mask.shape[-2:])
    if ignore.shape != expected:
        raise ValueError(
            f'`ignore` must have shape {expected} like the mask, got '
            f'{tuple(ignore.shape)}'
        )
    if ignore.dtype != torch.bool and not ignore.is_floating_point():
        raise ValueError(
            f'`ignore` must be bool or floating point in [0, 1], got {ignore.dtype}'
        )
