"""Options that no class of ours takes: refused before anything is built."""
import inspect
from typing import Any

from cfcn_plugin import masks
from cfcn_plugin.masks.mask_loader import MaskLoader
from cfcn_plugin.masks.objects import ObjectChoice

from .registration import REGISTERED
from .transforms import LoadActivationMask

OF_MMENGINE = {'type', '_scope_', 'priority'}
# the class that takes the ** of another class
FORWARDED = {
    LoadActivationMask: MaskLoader,
    masks.ScribbleMasks: masks.PNGMasks,
    **dict.fromkeys((masks.BoxMasks, masks.COCOMasks, masks.CVATMasks,
                     masks.LabelMeMasks, masks.LabelStudioMasks, masks.VOCMasks,
                     masks.YOLOMasks), ObjectChoice)
}


def check_options(config: Any, name: str = '') -> None:
    """Refuse unknown options of the classes of this package.

    Args:
        config: A config, or a part of one.
        name: Where in the config the part is.

    Raises:
        ValueError: A class of this package does not take an option. The message has the
            option's place in the config and the options of the class.
    """
    if isinstance(config, dict):
        _check_class(config, name)
        for key, value in config.items():
            check_options(value, f'{name}{key}.')
    elif isinstance(config, list | tuple):
        for index, value in enumerate(config):
            check_options(value, f'{name}{index}.')


def _check_class(config: dict, name: str) -> None:
    kind = config.get('type')
    known = None
    for where, classes in REGISTERED.items():
        for one in classes:
            if kind is one or kind == one.__name__ and where.get(kind) is one:
                known = _options(one)
    unknown = [] if known is None else [
        key for key in config if key not in known and key not in OF_MMENGINE]
    if unknown:
        raise ValueError(
            f'`{name}{unknown[0]}`: {kind} has no option `{unknown[0]}`; its options '
            f'are {", ".join(known)}')


def _options(kind: type) -> list[str] | None:
    """The options of a class, or None if another package takes part of them."""
    parameters = inspect.signature(kind).parameters.values()
    known = [p.name for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        if kind not in FORWARDED:
            return None
        known += [name for name in _options(FORWARDED[kind]) if name not in known]
    return known
