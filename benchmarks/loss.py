"""The loss, forward and backward, over the equation as written and one copy."""

from collections.abc import Iterator

import torch
from torch import Tensor

from cfcn_plugin.functional import causal_focus_loss

from .pairs import Line, Turn, ratio_of

SHAPES = {  # of the maps: (B, F, h, w)
    "ResNet-50's map": (32, 2048, 7, 7),
    "ViT-S's map": (64, 384, 14, 14),
    "the paper's map": (64, 16, 96, 96),
}


def loss(pairs: int, device: str = 'cpu', tiny: bool = False) -> Iterator[Line]:
    """Eager: the loss over the equation as written, and over one copy of the map."""
    for name, shape in SHAPES.items():
        # ten milliseconds a turn
        yield from _compare(
            name,
            shape if not tiny else (2, 3, 4, 4),
            pairs,
            device,
            repeat=1 if tiny else 4,
        )


def compiled_loss(
    pairs: int, device: str = 'cpu', tiny: bool = False
) -> Iterator[Line]:
    """As :func:`loss`, with both functions compiled by ``torch.compile``."""
    backend = 'aot_eager' if tiny else 'inductor'
    for name, shape in SHAPES.items():
        torch.compiler.reset()
        yield from _compare(
            f'{name}, compiled',
            shape if not tiny else (2, 3, 4, 4),
            pairs,
            device,
            repeat=1 if tiny else 4,
            wrap=lambda function: torch.compile(function, backend=backend),
        )


def naive_loss(activation: Tensor, mask: Tensor, eps: float = 1e-4) -> Tensor:
    """CFCN, Eq. 1 as written in the paper.

    Args:
        activation: (B, F, h, w).
        mask: (B, 1, h, w) floating point.
        eps: As of :func:`cfcn_plugin.functional.causal_focus_loss`.
    """
    activation = activation.relu()
    inside = (activation * mask).sum((2, 3))
    total = activation.sum((2, 3)) + eps * mask[0, 0].numel()
    return (1 - inside / total).mean()


def _compare(
    name: str,
    shape: tuple,
    pairs: int,
    device: str,
    repeat: int,
    wrap=lambda function: function,
) -> Iterator[Line]:
    generator = torch.Generator().manual_seed(0)
    activation = torch.randn(shape, generator=generator).to(device).requires_grad_()
    mask = (torch.rand(len(activation), 1, *shape[2:], generator=generator) > 0.5).to(
        device, torch.float32
    )

    def backward(function):
        function = wrap(function)

        def run(_):
            # in training, too, the gradient is kept until the next run
            activation.grad = None
            function(activation, mask).backward()

        return Turn(run)

    def copied(_):
        activation.detach().clone()

    ours, naive = backward(causal_focus_loss), backward(naive_loss)
    megabytes = activation.nbytes / 2**20
    for what, other, aim in (
        ('the equation as written', naive, 0.5),
        ('one copy of the map', Turn(copied), None),
    ):
        ratio, took = ratio_of(ours, other, pairs, device, repeat)
        yield Line(
            f'loss over {what}: {name} ({megabytes:.0f} MiB)',
            ratio,
            aim,
            f'{1000 * took:.2f} ms',
            strict=True,
        )
