"""The content of a checkpoint that is to be opened again without running code."""

import copy
import inspect
import io
import os
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.optim import _ParamScheduler
from torch import Tensor, nn

from cfcn_plugin.mm.safe_loading import SWITCH, CheckpointError, refusal_reason
from cfcn_plugin.printable import printable


def drop_functions(checkpoint: dict, schedulers: Sequence | dict | None) -> None:
    """Leave functions out of the schedulers' states; resuming builds them again.

    ``OneCycleLR`` keeps its annealing function as an attribute, and mmengine saves each
    attribute. mmengine's ``load_state_dict`` updates the attributes of a new scheduler,
    which has the function.
    """
    saved = checkpoint.get('param_schedulers')
    pairs = (
        [(schedulers[name], states) for name, states in saved.items()]
        if isinstance(saved, dict)
        else [(schedulers, saved or [])]
    )
    for group, states in pairs:
        for i, state in enumerate(states):
            if type(group[i]).load_state_dict is _ParamScheduler.load_state_dict:
                states[i] = {
                    key: value
                    for key, value in state.items()
                    if not inspect.isroutine(value)
                }


def check_loadable(checkpoint: dict) -> None:
    """Open the content of a checkpoint, without its tensors, as a later run will.

    Only if the process has called ``enable_safe_loading``.

    Raises:
        CheckpointError: A part is refused, or cannot be saved.
    """
    if os.environ.get(SWITCH) != '1':
        return
    found = _find_refused(checkpoint, 'checkpoint')
    if found is None:
        return
    name, part, error = found
    kind = f'{type(part).__module__}.{type(part).__qualname__}'
    raise CheckpointError(
        f'the checkpoint could not be opened again: {name} is a {kind} '
        f'({printable(refusal_reason(str(error))[:120])}). Save numbers, texts or '
        'tensors instead, or allow a class of your own: call '
        'torch.serialization.add_safe_globals([TheClass]) in a module that '
        '`custom_imports` names (docs/safety.md)'
    ) from error


def _find_refused(part: Any, name: str) -> tuple[str, Any, Exception] | None:
    """Name and value of the innermost part that cannot be saved and opened."""
    error = _refusal(part)
    if error is None:
        return None
    items = (
        part.items()
        if isinstance(part, dict)
        else (enumerate(part) if isinstance(part, list | tuple) else ())
    )
    for key, value in items:
        found = _find_refused(value, f'{name}[{key!r}]')
        if found is not None:
            return found
    return name, part, error


def _refusal(part: Any) -> Exception | None:
    try:
        stream = io.BytesIO()
        torch.save(_without_tensors(part), stream)
        stream.seek(0)
        torch.load(stream)
    except Exception as error:  # of a user's class: any
        return error
    return None


def _without_tensors(part: Any) -> Any:
    """The same containers, without tensors, which are large and never refused."""
    if type(part) in (Tensor, nn.Parameter):
        return None
    if not isinstance(part, dict | list):
        return part
    same = copy.copy(part)
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        same[key] = _without_tensors(value)
    return same
