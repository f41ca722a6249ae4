"""The linear layer whose output is a model's logits."""
from collections.abc import Callable

import torch
from torch import Tensor, nn

from cfcn_plugin.features.explanations import temporary_evaluation


def find_linear_head(model: nn.Module,
                     images: Tensor,
                     forward: Callable[[Tensor], Tensor] | None = None) -> str:
    """The name of the linear layer whose output is the model's logits.

    The layer is found by its output in one forward pass, whatever its name.

    Args:
        model: The model.
        images: (B, C, H, W), as the model takes them.
        forward: Called with ``images``, returns the logits. None: ``model``.

    Raises:
        TypeError: The model gives no (B, C) tensor.
        ValueError: No ``nn.Linear`` on (B, F) features gives the logits.
    """
    outputs = {}

    def keep(name: str) -> Callable:
        def hook(module, inputs, output):
            outputs[name] = output
        return hook

    linear = {name: one for name, one in model.named_modules()
              if isinstance(one, nn.Linear)}
    handles = [one.register_forward_hook(keep(name)) for name, one in linear.items()]
    try:
        with temporary_evaluation(model), torch.no_grad():
            logits = as_logits((forward or model)(images))
    finally:
        for handle in handles:
            handle.remove()
    for name, output in reversed(outputs.items()):
        if output.shape == logits.shape and torch.equal(output, logits):
            return name
    raise ValueError(
        f'no nn.Linear of {type(model).__name__} gives its logits '
        f'{tuple(logits.shape)}, so there is no last linear layer to refit; linear '
        f'layers that ran: {", ".join(list(outputs)[-5:]) or "none"}. Models with a '
        'convolution, several heads or a scaled output as classifier cannot be '
        'repaired: train by guidance instead')


def as_logits(output) -> Tensor:
    """The (B, C) logits of a model's output, which may be an object with ``logits``.

    Raises:
        TypeError: There are none.
    """
    logits = getattr(output, 'logits', output)
    if isinstance(logits, dict):
        logits = logits.get('logits')
    if not isinstance(logits, Tensor) or logits.dim() != 2:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(output)
        raise TypeError(f'expected logits (B, C) of the model, got {got}: give '
                        '`forward`, a function of the images that returns the logits')
    return logits
