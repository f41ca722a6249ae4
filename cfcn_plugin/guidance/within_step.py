"""How a model runs for methods that differentiate within the step."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from .guidance import Guidance


@contextmanager
def differentiable_pass(method: Guidance | None) -> Iterator[None]:
    """The forward pass, such that the method can differentiate through it.

    A model runs as it was before torch.compile, which hides gradients within a step.
    Where images need a gradient, attention is made of plain products, since fused
    attention has no second derivative.
    """
    with ExitStack() as block:
        if method is not None and method.needs_input_grad:
            from torch.nn.attention import SDPBackend, sdpa_kernel  # needed here alone

            block.enter_context(sdpa_kernel(SDPBackend.MATH))
        if method is not None and method.differentiates:
            block.enter_context(torch.compiler.set_stance('force_eager'))
        yield


def refuse_sharded(method: Guidance | None, model: nn.Module) -> None:
    """Raise a RuntimeError if the method differentiates twice, and the model is sharded
    (``fully_shard``), which frees the weights after the first time.
    """
    twice = [
        one
        for one in ([] if method is None else method.modules())
        if getattr(one, 'second_order', False)
        or getattr(one, 'needs_input_grad', False)
    ]
    if (
        not twice
        or not torch.distributed.is_available()
        or (not torch.distributed.is_initialized())
    ):
        return
    from torch.distributed.fsdp import FSDPModule  # slow to import

    if any(isinstance(module, FSDPModule) for module in model.modules()):
        raise RuntimeError(
            f'{type(twice[-1]).__name__} differentiates the model twice, which '
            '`fully_shard` does not support: use DistributedDataParallel, or a method '
            'that differentiates once (CausalFocusLoss, GAINLoss ...)'
        )
