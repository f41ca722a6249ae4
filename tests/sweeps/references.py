"""What a map is compared with: maps taken in other ways, and corners of the image."""

from itertools import product

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def timm_reference(model: nn.Module, inputs: Tensor) -> Tensor | None:
    """(B, F, h, w) from ``forward_intermediates``, a second forward pass."""
    if not hasattr(model, 'forward_intermediates'):
        return None
    for norm in (True, False):
        try:
            with torch.no_grad():
                final, inter = model.forward_intermediates(
                    inputs, indices=1, norm=norm, output_fmt='NCHW'
                )
        except Exception:  # norm=True is refused by some
            continue
        if isinstance(final, Tensor) and final.dim() == 4:
            last = str(getattr(model, 'output_fmt', '')).endswith('NHWC')
            return final.permute(0, 3, 1, 2) if last else final
        return inter[-1]
    return None


@torch.no_grad()
def zoo_reference(model: nn.Module, inputs: Tensor) -> Tensor | None:
    """(B, F, h, w) that the backbone, or a neck that fuses its scales, gives."""
    backbone = getattr(model.backbone, 'module', model.backbone)
    if 'featmap' in getattr(backbone, 'OUT_TYPES', ('featmap',)):
        backbone.out_type = 'featmap'  # those without this option ignore it
    if getattr(backbone, 'gap_before_final_norm', False):
        backbone.gap_before_final_norm = False
        setattr(backbone, f'norm{backbone.out_indices[-1]}', nn.Identity())
    maps = backbone(inputs)
    if isinstance(model.neck, nn.Sequential):
        maps = model.neck[0](maps)
    while isinstance(maps, list | tuple):
        maps = maps[-1]
    if maps.dim() == 3:  # (B, F, L), to be pooled in one dimension
        side = round(maps.shape[-1] ** 0.5)
        return maps.unflatten(2, (side, side))
    return maps if maps.dim() == 4 else None


@torch.no_grad()
def pooled_reference(model: nn.Module, inputs: Tensor) -> Tensor | None:
    """What the last pooling of a forward pass receives, whatever module makes it.

    Adaptive pooling, a mean over positions, or the choice of the first token.
    """
    with _Pooling() as pooling:
        model(inputs)
    received = pooling.received
    return None if received is None or received.shape[1] == 1 else received


FIRST_TOKEN = ((slice(None), 0), (slice(None), 0, slice(None)))


class _Pooling(TorchFunctionMode):
    received = None

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, '__name__', '')
        if (
            name.startswith(('adaptive_avg_pool', '_adaptive_avg_pool', 'avg_pool2d'))
            or (name == 'mean' and _is_spatial(*args[:2], **kwargs))
            or (name == '__getitem__' and args[0].ndim == 3 and args[1] in FIRST_TOKEN)
        ):
            self.received = args[0].clone()
        return function(*args, **kwargs)


def _is_spatial(value: Tensor, dim=(), keepdim=False) -> bool:
    dims = {d % value.ndim for d in ([dim] if isinstance(dim, int) else dim)}
    return (value.ndim, dims) in ((3, {1}), (3, {2}), (4, {2, 3}), (4, {1, 2}))


def compare(activation: Tensor, reference: Tensor) -> str:
    if reference.ndim == 3:  # (B, L, F), behind prefix tokens, or (B, F, L)
        tokens = activation.flatten(2)
        if reference.shape[1] != tokens.shape[1]:
            reference = reference.transpose(1, 2)
        reference = reference[..., -tokens.shape[2] :].reshape_as(activation)
    if activation.shape != reference.shape == activation.movedim(1, -1).shape:
        reference = reference.movedim(-1, 1)
    if reference.shape[2] > activation.shape[2]:
        return 'earlier'  # timm's is taken before the tokens are merged
    same = reference.shape == activation.shape and torch.allclose(
        reference, activation, rtol=1e-3, atol=1e-4
    )
    return 'equal' if same else 'differs'


def corners(activation: Tensor, inputs: Tensor) -> int:
    """At how many corners the gradient of the cell leans to the corner.

    It does where the gradient's mean position lies nearer to this corner than that
    of the opposite corner's cell does, on both axes with more than one cell.
    """
    h, w = activation.shape[-2:]
    at = {}
    for row, column in product((0, h - 1), (0, w - 1)):
        # squares: norms make a plain sum over channels constant
        cell = activation[..., row, column].square().sum()
        (grad,) = torch.autograd.grad(cell, inputs, retain_graph=True)
        weight = grad.abs().sum((0, 1)).double()
        y = torch.arange(weight.shape[0]) * weight.sum(1)
        x = torch.arange(weight.shape[1]) * weight.sum(0)
        at[row, column] = y.sum() / weight.sum(), x.sum() / weight.sum()
    lean = 0
    for (row, column), (y, x) in at.items():
        other_y, other_x = at[h - 1 - row, w - 1 - column]
        lean += bool(
            (h == 1 or (y < other_y) == (row == 0))
            and (w == 1 or (x < other_x) == (column == 0))
        )
    return lean if h > 1 or w > 1 else 4
