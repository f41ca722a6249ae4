"""The focus ratio as one autograd function that keeps no second map.

:mod:`.focus` has the equations and checks arguments; here they are trusted.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .precision import compute_dtype
from .resize import resize_mask, stretch_adjoint

CACHE = 2**19  # bytes that a piece of a map may take, of a core's caches


def focus_ratio(
    activation: Tensor, mask: Tensor, ignore: Tensor | None, eps: float, resize: str
) -> Tensor:
    """:func:`.focus.causal_focus_ratio` of checked arguments, (B, F)."""
    if torch.compiler.is_compiling() and activation.device.type == 'cpu':
        return _focus_ratio_op(activation, mask, ignore, eps, resize)[0]
    return _FocusRatio.apply(activation, mask, ignore, eps, resize)


class _FocusRatio(torch.autograd.Function):
    """:func:`.focus.causal_focus_ratio`, keeping nothing but the caller's tensors.

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


def _focus_ratio(
    activation: Tensor, mask: Tensor, ignore: Tensor | None, eps: float, resize: str
) -> tuple[Tensor, Tensor]:
    """The ratio and its denominator, (B, F) each."""
    with torch.autocast(activation.device.type, enabled=False):
        planes = mask_planes(activation, mask, ignore, resize)
        numerator, denominator = _plane_sums(activation, planes)
        denominator = denominator + eps
        return numerator / denominator, denominator


def _focus_ratio_grad(
    grad_ratio: Tensor,
    activation: Tensor,
    mask: Tensor,
    ignore: Tensor | None,
    ratio: Tensor,
    denominator: Tensor,
    resize: str,
) -> Tensor:
    """The gradient of the map, by that of the ratio."""
    with torch.autocast(activation.device.type, enabled=False):
        planes = mask_planes(activation, mask, ignore, resize)
        inside = grad_ratio / denominator
        # an exact 0 stays one, also behind a NaN or infinite map
        inside = inside.masked_fill(grad_ratio == 0, 0)
        valid = (-inside * ratio).masked_fill(grad_ratio == 0, 0)
        weights = torch.stack([inside, valid], dim=2)  # (B, F, 2)
        equation = 'bfk,bkn->bfn' if planes.dim() == 3 else 'bfk,bfkn->bfn'
        grad = torch.einsum(equation, weights, planes)
        return _where_positive(
            grad.view(activation.shape).to(activation.dtype), activation
        )


# On a CPU inductor keeps each rectifier's sign and is several times slower than the
# pieces below, so that there a compiled graph calls them as they are.
_focus_ratio_op = torch.library.custom_op(
    'cfcn_plugin::focus_ratio', _focus_ratio, mutates_args=(), device_types='cpu'
)
_focus_ratio_grad_op = torch.library.custom_op(
    'cfcn_plugin::focus_ratio_grad',
    _focus_ratio_grad,
    mutates_args=(),
    device_types='cpu',
)


@_focus_ratio_op.register_fake
def _(activation, mask, ignore, eps, resize):
    shape, dtype = activation.shape[:2], compute_dtype(activation)
    return activation.new_empty(shape, dtype=dtype), activation.new_empty(
        shape, dtype=dtype
    )


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
    rectified = torch.empty_like(activation[:size], dtype=compute_dtype(activation))
    sums = []
    for maps, plane in zip(activation.split(size), planes.split(size)):
        # into the same memory again, which is in the cache by now
        maps = torch.clamp(maps.to(rectified.dtype), min=0, out=rectified[: len(maps)])
        maps = maps.flatten(2)
        sums.append(
            plane @ maps.mT
            if planes.dim() == 3
            else (plane @ maps[..., None])[..., 0].mT
        )
    under, total = torch.cat(sums).unbind(1)
    return under, total


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


def mask_planes(
    activation: Tensor, mask: Tensor, ignore: Tensor | None, resize: str
) -> Tensor:
    """What each cell counts inside the mask, and at all; sums to a mean.

    Returns:
        (B, 2, h*w) for one mask an image, (B, F, 2, h*w) for one mask a map.
    """
    dtype = compute_dtype(activation)
    inside = (mask if mask.is_floating_point() else mask != 0).to(dtype)
    if ignore is None:
        valid = torch.ones_like(inside[:, :1])
    else:
        valid = 1 - ignore[:, None].to(dtype)
    inside = inside * valid
    planes = torch.stack([inside, valid.expand_as(inside)], dim=2)  # (B, K, 2, H, W)
    size = activation.shape[-2:]
    if planes.shape[-2:] != size:
        planes = (resize_mask if resize == 'mask' else stretch_adjoint)(planes, size)
    planes = planes.flatten(3) / (size[0] * size[1])
    return planes[:, 0] if mask.shape[1] == 1 else planes
