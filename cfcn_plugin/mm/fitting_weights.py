"""An error for weights of which none fits the model."""

import json
import shlex
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path

from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import checkpoint as mmengine_checkpoint
from torch import Tensor, nn

SHOWN = 3  # keys of the checkpoint and of the model in the message
# the checkpoint that was opened last; mmengine's `load_state_dict` gets no name
opened_file: ContextVar[str] = ContextVar('opened_file', default='(unknown)')
_load_by_mmengine = mmengine_checkpoint.load_state_dict
_load_prefix_by_mmengine = mmengine_checkpoint._load_checkpoint_with_prefix


class UnfitWeightsError(RuntimeError):
    """No weight of a checkpoint fits the model."""


def load_state_dict(
    module: nn.Module, state_dict: Mapping, strict: bool = False, logger=None
) -> None:
    """mmengine's ``load_state_dict``, with an error if it loads nothing.

    mmengine only warns if the names or sizes of the weights differ from those of the
    model. The model then keeps its random weights.

    Raises:
        UnfitWeightsError: The model has parameters, and none was loaded.
        RuntimeError: With ``strict``, the names or sizes differ.
    """
    model = module
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    before = _versions(model)
    try:
        _load_by_mmengine(module, state_dict, strict, logger)
    except RuntimeError as error:
        if not before or before != _versions(model):
            raise RuntimeError(
                f"checkpoint '{opened_file.get()}': {error}\nUse the config that "
                'trained the checkpoint, or other weights'
            ) from error
    after = _versions(model)
    if before and before == after:
        raise UnfitWeightsError(_describe(state_dict, model.state_dict()))
    print_log(_summary(before, after), logger='current')


def load_checkpoint_with_prefix(
    prefix: str, filename: str, map_location=None
) -> dict[str, Tensor]:
    """mmengine's function for ``init_cfg=dict(prefix=...)``; its error has the names.

    Raises:
        UnfitWeightsError: No key of the checkpoint begins with the prefix.
    """
    try:
        return _load_prefix_by_mmengine(prefix, filename, map_location)
    except AssertionError as error:
        state_dict = mmengine_checkpoint._load_checkpoint(filename, map_location)
        state_dict = state_dict.get('state_dict', state_dict)
        raise UnfitWeightsError(
            f"checkpoint '{filename}': no key begins with {prefix!r}, the checkpoint "
            f'has {_first(state_dict)}: correct or remove `init_cfg.prefix`'
        ) from error


def _versions(model: nn.Module) -> dict[str, tuple[int, int]]:
    """What changes if a parameter is written or replaced."""
    return {name: (id(p), p._version) for name, p in model.named_parameters()}


def _summary(before: Mapping, after: Mapping) -> str:
    """One line on what was loaded."""
    own = [name for name in after if before[name] == after[name]]
    rest = f'; not in the file: {_first(own)}' if own else ''
    return (
        f"weights: {len(after) - len(own)} of the model's {len(after)} parameters "
        f"are from '{opened_file.get()}'{rest}"
    )


def _describe(state_dict: Mapping, model: Mapping[str, Tensor]) -> str:
    file = opened_file.get()
    inside = next(
        (
            key
            for key, value in state_dict.items()
            if isinstance(value, Mapping) and _weights(value)
        ),
        None,
    )
    weights = _weights(state_dict if inside is None else state_dict[inside])
    text = (
        f"checkpoint '{file}': none of its {len(weights)} weights fits one of the "
        f'{len(model)} of the model, which would start from random weights. The '
        f'checkpoint has {_first(weights)}, the model has {_first(model)}. '
    )
    equal = [name for name in weights if name in model]
    if equal and inside is None:
        sizes = [tuple(one[equal[0]].shape) for one in (weights, model)]
        return (
            f'{text}The sizes differ, {equal[0]!r} has {sizes[0]} and {sizes[1]}: '
            'use the config that trained the checkpoint, or other weights'
        )
    renamed = 'k' if equal else _renamed(set(weights), set(model))
    if renamed is None or not Path(file).is_file():
        return f'{text}Use the config of these weights, or rename their keys'
    source = '' if inside is None else f'; w = w[{json.dumps(inside)}]'
    code = (
        'import torch; from cfcn_plugin.mm.safe_loading import enable_safe_loading; '
        f'enable_safe_loading(); w = torch.load({json.dumps(str(file))}, "cpu"); '
        f'w = w.get("state_dict", w){source}; torch.save({{{renamed}: v for k, v in '
        f'w.items()}}, {json.dumps(str(Path(file).with_suffix(".renamed.pth")))})'
    )
    return (
        f'{text}This command writes a copy with the keys of the model:\n'
        f'python -c {shlex.quote(code)}'
    )


def _weights(state_dict: Mapping) -> dict[str, Tensor]:
    return {k: v for k, v in state_dict.items() if isinstance(v, Tensor)}


def _first(keys: Iterable) -> str:
    keys = list(keys)
    more = ' ...' if len(keys) > SHOWN else ''
    return (', '.join(map(repr, keys[:SHOWN])) or 'none') + more


def _renamed(found: set[str], wanted: set[str]) -> str | None:
    """Python code for the new key ``k`` if a prefix is all that differs."""
    ways = {
        f'k.removeprefix({json.dumps(prefix)})': len(
            {k.removeprefix(prefix) for k in found} & wanted
        )
        for prefix in _prefixes(found)
    }
    ways |= {
        f'{json.dumps(prefix)} + k': len({prefix + k for k in found} & wanted)
        for prefix in _prefixes(wanted)
    }
    best = max(ways, key=ways.get, default=None)
    if best is None or 2 * ways[best] < max(min(len(found), len(wanted)), 1):
        return None
    return best


def _prefixes(keys: set[str]) -> set[str]:
    return {key[: i + 1] for key in keys for i, char in enumerate(key) if char == '.'}
