"""The linear layer whose output is a model's logits."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cfcn_plugin.features.explanations import temporary_evaluation

WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)
SHOWN = 3  # layers in a message


def find_linear_head(
    model: nn.Module, images: Tensor, forward: Callable[[Tensor], Tensor] | None = None
) -> str:
    """The name of the linear layer whose output is the model's logits.

    The layer is found by its output in one forward pass, whatever its name. A compiled
    model runs without compiled code.

    Args:
        model: The model.
        images: (B, C, H, W), as the model takes them.
        forward: Called with ``images``, returns the logits. None: ``model``.

    Raises:
        TypeError: The model gives no (B, C) tensor, or the model is wrapped for several
            devices.
        ValueError: No ``nn.Linear`` on (B, F) features gives the logits, its weights
            are not its own, or the logits are not finite.
    """
    _refuse_wrapper(model)
    calls = {}

    def keep(name: str) -> Callable:
        def hook(module, args, kwargs, output):
            calls.pop(name, None)  # the last call comes last
            calls[name] = (*args, *kwargs.values()), output

        return hook

    leaves = {
        name: one
        for name, one in model.named_modules()
        if isinstance(one, nn.Linear) or not any(True for _ in one.children())
    }
    handles = [
        one.register_forward_hook(keep(name), with_kwargs=True)
        for name, one in leaves.items()
    ]
    try:
        with (
            temporary_evaluation(model),
            torch.no_grad(),
            torch.compiler.set_stance('force_eager'),
        ):
            logits = as_logits((forward or model)(images))
            name = _name_of(logits, calls, leaves)
    finally:
        for handle in handles:
            handle.remove()
    if name is None:
        last = [f"'{name}' ({type(leaves[name]).__name__})" for name in calls][-SHOWN:]
        raise ValueError(
            f'no nn.Linear of {type(model).__name__} gives its logits '
            f'{tuple(logits.shape)}, so there is no last linear layer to refit; the '
            f'last layers that ran: {", ".join(last) or "none"}. Models with a '
            'convolution, several heads, a softmax or a scaled output at their end '
            'cannot be repaired: train by guidance instead'
        )
    _check_own_weights(model, name)
    return name


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
        raise TypeError(
            f'expected logits (B, C) of the model, got {got}: give '
            '`forward`, a function of the images that returns the logits'
        )
    return logits


def _name_of(logits: Tensor, calls: dict, modules: dict[str, nn.Module]) -> str | None:
    """The last call of a linear layer that gave the logits by its weights."""
    if not logits.isfinite().all():
        raise ValueError(
            'the logits of the first images are not finite: the images '
            'or the weights of the model are damaged'
        )
    for name, (inputs, output) in reversed(calls.items()):
        linear = modules[name]
        if (
            not isinstance(linear, nn.Linear)
            or output.shape != logits.shape
            or (not torch.equal(output.float(), logits.float()))
        ):
            continue
        bias = None if linear.bias is None else linear.bias.float()
        product = F.linear(inputs[0].float(), linear.weight.float(), bias)
        # bfloat16 has 8 bits
        if (product - output).abs().max() <= 0.02 * output.abs().max():
            return name
    return None


def _refuse_wrapper(model: nn.Module) -> None:
    for name, one in model.named_modules():
        if isinstance(one, WRAPPERS):
            inner = f'model{"." if name else ""}{name}.module'
            raise TypeError(
                f'the model is wrapped in {type(one).__name__}, which may run copies '
                f'of its layers: give `{inner}`, in one process'
            )


def _check_own_weights(model: nn.Module, name: str) -> None:
    """New weights of the layer must stay, and change no other layer."""
    head = model.get_submodule(name)
    own = {
        key: one.data_ptr()
        for key in ('weight', 'bias')
        if (one := getattr(head, key)) is not None
    }
    for key in own:
        if head._parameters.get(key) is None:
            raise ValueError(
                f"the {key} of '{name}' is computed from other parameters "
                '(weight normalization, for example), so that new weights '
                'would not stay: remove the parametrization first'
            )
    for other, module in model.named_modules():
        theirs = {
            one.data_ptr() for one in module._parameters.values() if one is not None
        }
        shared = [key for key, memory in own.items() if memory in theirs]
        if module is not head and shared:
            raise ValueError(
                f"'{name}' shares its {shared[0]} with '{other}', which new "
                'weights would change, too: give one of them a copy'
            )
