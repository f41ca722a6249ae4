"""The equations of CFCN as plain functions of tensors.

The loss, the metric and the heatmap all call these functions, so that what is
trained, what is measured and what is drawn can not drift apart.
"""
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = [
    'at_least_float32', 'causal_focus_loss', 'causal_focus_ratio', 'pool_channels',
    'resize_mask'
]

RESIZES = ('mask', 'activation')
REDUCTIONS = ('batch', 'guided', 'none')
CACHE = 2**19  # bytes that a piece of a map may take, of a core's caches


def causal_focus_ratio(activation: Tensor,
                       mask: Tensor,
                       *,
                       ignore: Tensor | None = None,
                       eps: float = 1e-4,
                       resize: str = 'mask') -> Tensor:
    """Share of each map's activation that lies inside the mask.

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
    _check_map(activation)
    mask = _check_mask(mask, activation)
    if ignore is not None:
        _check_ignore(ignore, mask)
    if resize not in RESIZES:
        raise ValueError(f'`resize` must be one of {RESIZES}, got {resize!r}')
    if not eps > 0:
        raise ValueError(f'`eps` must be positive, got {eps}')
    if torch.compiler.is_compiling() and activation.device.type == 'cpu':
        return _focus_ratio_op(activation, mask, ignore, eps, resize)[0]
    return _FocusRatio.apply(activation, mask, ignore, eps, resize)


def causal_focus_loss(activation: Tensor,
                      mask: Tensor,
                      *,
                      target: Tensor | None = None,
                      guided: Tensor | None = None,
                      ignore: Tensor | None = None,
                      eps: float = 1e-4,
                      resize: str = 'mask',
                      reduction: str = 'batch') -> Tensor:
    """Share of the activation that lies on the context: 0 best, 1 worst.

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
        raise ValueError(
            f'`reduction` must be one of {REDUCTIONS}, got {reduction!r}')
    outside = 1 - causal_focus_ratio(
        activation, mask, ignore=ignore, eps=eps, resize=resize)  # (B, F)
    per_image = _pick(outside, target)  # (B,)
    if guided is not None:
        if guided.dtype != torch.bool or guided.shape != per_image.shape:
            raise ValueError(f'`guided` must be bool of shape ({len(per_image)},), got '
                             f'{guided.dtype} of shape {tuple(guided.shape)}')
        # where, not a product: an unguided NaN must not become a guided one
        per_image = torch.where(guided, per_image, torch.zeros_like(per_image))
    if reduction == 'none':
        return per_image
    if reduction == 'guided' and guided is not None:
        return per_image.sum() / guided.sum().clamp(min=1)
    return per_image.mean()


def at_least_float32(tensor: Tensor) -> Tensor:
    """The same tensor, or float32 instead of half precision, where sums overflow."""
    return tensor.to(_compute_dtype(tensor))


def pool_channels(activation: Tensor, weights: Tensor | None = None) -> Tensor:
    """One map of all channels, sum_f w_f A_f.

    Args:
        activation: (B, F, h, w) >= 0.
        weights: (B, F) >= 0, of sum 1. None: 1 / F each.

    Returns:
        (B, 1, h, w). Its share inside a mask is one share over all channels: a channel
        counts by how active it is.
    """
    if weights is None:
        return activation.mean(1, keepdim=True)
    with torch.autocast(activation.device.type, enabled=False):
        activation = at_least_float32(activation)
        return torch.einsum(
            'bf,bfhw->bhw', weights.to(activation.dtype), activation)[:, None]


def resize_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
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


class _FocusRatio(torch.autograd.Function):
    """:func:`causal_focus_ratio`, keeping nothing but the caller's tensors.

    With T = relu(A) / (h w), N = sum(T * inside), D = sum(T * valid) the ratio is
    r = N / (D + eps), and its gradient (inside - r * valid) / (D + eps) / (h w)
    where A > 0. Dividing by h w before the sum keeps huge maps finite.
    """

    @staticmethod
    def forward(ctx, activation, mask, ignore, eps, resize):
        ratio, denominator = _focus_ratio(activation, mask, ignore, eps, resize)
        ctx.save_for_backward(activation, mask, ignore, ratio, denominator)
        ctx.resize = resize
        return ratio

    @staticmethod
    @once_differentiable  # what is saved has no graph: a second derivative were wrong
    def backward(ctx, grad_ratio):
        grad = _focus_ratio_grad(grad_ratio, *ctx.saved_tensors, ctx.resize)
        return grad, None, None, None, None


def _focus_ratio(activation: Tensor, mask: Tensor, ignore: Tensor | None, eps: float,
                 resize: str) -> tuple[Tensor, Tensor]:
    """The ratio and its denominator, (B, F) each."""
    with torch.autocast(activation.device.type, enabled=False):
        planes = _planes(activation, mask, ignore, resize)
        numerator, denominator = _plane_sums(activation, planes)
        denominator = denominator + eps
        return numerator / denominator, denominator


def _focus_ratio_grad(grad_ratio: Tensor, activation: Tensor, mask: Tensor,
                      ignore: Tensor | None, ratio: Tensor, denominator: Tensor,
                      resize: str) -> Tensor:
    """The gradient of the map, by that of the ratio."""
    with torch.autocast(activation.device.type, enabled=False):
        planes = _planes(activation, mask, ignore, resize)
        inside = grad_ratio / denominator
        # an exact 0 stays one, also behind a NaN or infinite map
        inside = inside.masked_fill(grad_ratio == 0, 0)
        valid = (-inside * ratio).masked_fill(grad_ratio == 0, 0)
        weights = torch.stack([inside, valid], dim=2)  # (B, F, 2)
        equation = 'bfk,bkn->bfn' if planes.dim() == 3 else 'bfk,bfkn->bfn'
        grad = torch.einsum(equation, weights, planes)
        return _where_positive(
            grad.view(activation.shape).to(activation.dtype), activation)


# On a CPU inductor keeps each rectifier's sign and is several times slower than the
# pieces below, so that there a compiled graph calls them as they are.
_focus_ratio_op = torch.library.custom_op(
    'cfcn_plugin::focus_ratio', _focus_ratio, mutates_args=(), device_types='cpu')
_focus_ratio_grad_op = torch.library.custom_op(
    'cfcn_plugin::focus_ratio_grad', _focus_ratio_grad, mutates_args=(),
    device_types='cpu')


@_focus_ratio_op.register_fake
def _(activation, mask, ignore, eps, resize):
    shape, dtype = activation.shape[:2], _compute_dtype(activation)
    return activation.new_empty(shape, dtype=dtype), activation.new_empty(
        shape, dtype=dtype)


@_focus_ratio_grad_op.register_fake
def _(grad_ratio, activation, mask, ignore, ratio, denominator, resize):
    return activation.new_empty(activation.shape)


def _keep(ctx, inputs, output):
    activation, mask, ignore, _, ctx.resize = inputs
    ctx.save_for_backward(activation, mask, ignore, *output)


def _differentiate(ctx, grad_ratio, _):
    grad = _focus_ratio_grad_op(grad_ratio, *ctx.saved_tensors, ctx.resize)
    return grad, None, None, None, None


_focus_ratio_op.register_autograd(_differentiate, setup_context=_keep)


def _plane_sums(activation: Tensor, planes: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the rectified map under each of both planes: (B, F) each."""
    size = _piece_size(activation)
    rectified = torch.empty_like(activation[:size], dtype=_compute_dtype(activation))
    sums = []
    for maps, plane in zip(activation.split(size), planes.split(size)):
        # into the same memory again, which is in the cache by now
        maps = torch.clamp(maps.to(rectified.dtype), min=0, out=rectified[:len(maps)])
        maps = maps.flatten(2)
        sums.append(plane @ maps.mT if planes.dim() == 3 else
                    (plane @ maps[..., None])[..., 0].mT)
    return torch.cat(sums).unbind(1)


def _piece_size(activation: Tensor) -> int:
    """How many images to take at once.

    A CPU rectifies a piece and sums it while it is in the cache: no second map goes
    through memory. A GPU, or a compiler that fuses, takes the batch.
    """
    if activation.device.type != 'cpu' or torch.compiler.is_compiling():
        return len(activation)
    return max(1, CACHE // (activation[0].numel() * 4))


def _where_positive(grad: Tensor, activation: Tensor) -> Tensor:
    """The gradient where the map is above 0 (or NaN), else 0; in place."""
    # one vectorised pass, where masked_fill takes two, and ten times as long on a CPU
    masked = torch.ops.aten.threshold_backward
    if torch.compiler.is_compiling():
        return masked(grad, activation, 0)
    return masked.grad_input(grad, activation, 0, grad_input=grad)


def _planes(activation: Tensor, mask: Tensor, ignore: Tensor | None,
            resize: str) -> Tensor:
    """What each cell counts inside the mask, and at all; sums to a mean.

    Returns:
        (B, 2, h*w) for one mask an image, (B, F, 2, h*w) for one mask a map.
    """
    dtype = _compute_dtype(activation)
    inside = (mask if mask.is_floating_point() else mask != 0).to(dtype)
    if ignore is None:
        valid = torch.ones_like(inside[:, :1])
    else:
        valid = 1 - ignore[:, None].to(dtype)
    inside = inside * valid
    planes = torch.stack([inside, valid.expand_as(inside)], dim=2)  # (B, K, 2, H, W)
    size = activation.shape[-2:]
    if planes.shape[-2:] != size:
        planes = (resize_mask if resize == 'mask' else _stretch_adjoint)(planes, size)
    planes = planes.flatten(3) / (size[0] * size[1])
    return planes[:, 0] if mask.shape[1] == 1 else planes


def _stretch_adjoint(planes: Tensor, size: tuple[int, int]) -> Tensor:
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
    overlap = torch.minimum(upper, right) - torch.maximum(upper - size_in,
                                                          right - size_out)
    return overlap.clamp(min=0).to(like.dtype) / size_in


def _pick(outside: Tensor, target: Tensor | None) -> Tensor:
    """(B, F) losses of maps to (B,) losses of images."""
    if target is None:
        return outside.mean(1)
    batch, maps = outside.shape
    if target.shape == (batch, ) and not target.is_floating_point():
        return outside.gather(1, target.long()[:, None])[:, 0]
    if target.shape == (batch, maps):
        return (outside * target).sum(1)
    raise ValueError(
        f'`target` must be int64 of shape ({batch},) or scores of shape ({batch}, '
        f'{maps}), one a map, got {target.dtype} of shape {tuple(target.shape)}')


def _compute_dtype(activation: Tensor) -> torch.dtype:
    # eps vanishes and sums overflow in half precision
    return torch.promote_types(activation.dtype, torch.float32)


def _check_map(activation: Tensor) -> None:
    if (activation.dim() != 4 or not activation.is_floating_point()
            or 0 in activation.shape):
        raise ValueError(
            '`activation` must be floating point of shape (B, F, h, w), none of '
            f'them 0, got {activation.dtype} of shape {tuple(activation.shape)}')


def _check_mask(mask: Tensor, activation: Tensor) -> Tensor:
    """The mask as (B, 1, H, W) or (B, F, H, W)."""
    batch, maps = activation.shape[:2]
    full = mask[:, None] if mask.dim() == 3 else mask
    if (full.dim() != 4 or full.shape[0] != batch or full.shape[1] not in (1, maps)
            or 0 in full.shape):
        raise ValueError(
            f'`mask` must have shape ({batch}, H, W), ({batch}, 1, H, W) or '
            f'({batch}, {maps}, H, W), got {tuple(mask.shape)}')
    if full.dtype not in (torch.bool, torch.uint8) and not full.is_floating_point():
        raise ValueError('`mask` must be bool, uint8 or floating point in [0, 1], '
                         f'got {mask.dtype}')
    return full


def _check_ignore(ignore: Tensor, mask: Tensor) -> None:
    expected = (mask.shape[0], *mask.shape[-2:])
    if ignore.shape != expected:
        raise ValueError(f'`ignore` must have shape {expected} like the mask, got '
                         f'{tuple(ignore.shape)}')
    if ignore.dtype != torch.bool and not ignore.is_floating_point():
        raise ValueError('`ignore` must be bool or floating point in [0, 1], got '
                         f'{ignore.dtype}')
