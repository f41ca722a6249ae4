"""Matching the sizes of masks and maps, exactly by area."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

RESIZES = ('mask', 'activation')


def resize_mask(mask: Tensor, size: Sequence[int]) -> Tensor:
    """Resize by exact fractional area, on any grid.

    Each output cell is the mean of the pixels under it, a pixel that straddles
    cells counting by its parts. Sums are kept (times the ratio of areas), so no
    object vanishes. ``F.interpolate(mode='area')`` differs where the grids do
    not divide: its cells overlap.

    Args:
        mask: (..., H, W) floating point.
        size: (h, w) of the result.

    Returns:
        (..., h, w), same dtype.
    """
    rows = _area_matrix(mask.shape[-2], size[0], mask)
    cols = _area_matrix(mask.shape[-1], size[1], mask)
    return rows @ mask @ cols.T


def crop_or_extend(planes: Tensor, size: Sequence[int]) -> Tensor:
    """Planes (..., H, W) cut to ``size`` (h, w) from the corner; beyond the edge, the
    edge is repeated.
    """
    for dim, pixels in zip((-2, -1), size):
        more = pixels - planes.shape[dim]
        if more > 0:
            edge = planes.narrow(dim, planes.shape[dim] - 1, 1)
            shape = list(planes.shape)
            shape[dim] = more
            planes = torch.cat([planes, edge.expand(shape)], dim)
        else:
            planes = planes.narrow(dim, 0, pixels)
    return planes


def stretch_adjoint(planes: Tensor, size: Sequence[int]) -> Tensor:
    """What weighting the stretched map with ``planes`` weighs in the map itself.

    Stretching is linear, sum(m * stretch(A)) = sum(stretch^T(m) * A), so the
    stretched map is never built.
    """
    h, w = size
    height, width = planes.shape[-2:]
    rows = _stretch_matrix(h, height, planes)  # (H, h)
    cols = _stretch_matrix(w, width, planes)  # (W, w)
    return rows.T @ planes @ cols * (h * w / (height * width))


def _stretch_matrix(size_in: int, size_out: int, like: Tensor) -> Tensor:
    """(size_out, size_in) bilinear weights; by area where it would skip cells."""
    if size_out < size_in:
        return _area_matrix(size_in, size_out, like)
    eye = torch.eye(size_in, dtype=like.dtype, device=like.device)[None]
    return F.interpolate(eye, size=size_out, mode='linear')[0].T


def _area_matrix(size_in: int, size_out: int, like: Tensor) -> Tensor:
    """(size_out, size_in): the part each input has in each output; rows sum to 1."""
    # in units of 1 / size_out pixel every edge is an integer: no rounding
    upper = torch.arange(1, size_out + 1, device=like.device)[:, None] * size_in
    right = torch.arange(1, size_in + 1, device=like.device)[None] * size_out
    overlap = torch.minimum(upper, right) - torch.maximum(
        upper - size_in, right - size_out
    )
    return overlap.clamp(min=0).to(like.dtype) / size_in
