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


@contextmanager
def second_pass(model: nn.Module, is_changed: bool) -> Iterator[None]:
    """A pass of a method's own, after the forward pass of the training.

    BatchNorm normalises by the batch, as in training, and remembers nothing.

    Args:
        model: The model.
        is_changed: Whether the first pass has changed the images in place.

    Raises:
        RuntimeError: The images were changed.
    """
    if is_changed:
        raise RuntimeError(
            'the forward pass has changed its images in place, and the method runs the '
            'model once more on what they were: let the model change a copy '
            '(images.clone())'
        )
    norms = [
        module
        for module in (model.modules() if model.training else ())
        if isinstance(module, nn.modules.batchnorm._NormBase)
        and module.track_running_stats
    ]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


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
        or not torch.distributed.is_initialized()
    ):
        return
    from torch.distributed.fsdp import FSDPModule  # slow to import

    if any(isinstance(module, FSDPModule) for module in model.modules()):
        raise RuntimeError(
            f'{type(twice[-1]).__name__} differentiates the model twice, which '
            '`fully_shard` does not support: use DistributedDataParallel, or a method '
            'that differentiates once (CausalFocusLoss, GAINLoss ...)'
        )
