"""Guided training of image classifiers: a few masks say what is the cause.

Importing the package registers nothing, patches nothing and imports no mm package:
attributes are imported when they are first asked for (PEP 562). ``import
cfcn_plugin.mm`` registers everything in mmpretrain's registries.
"""

from importlib import import_module
from typing import Any

from .version import __version__

# attribute -> the module that has it
_ATTRIBUTES = {
    'FeatureHook': 'features',
    'FineTuning': 'fine_tuning',
    'Guide': 'guidance',
    'MaskBatch': 'guidance',
    'MaskedDataset': 'data',
    'collate': 'data',
    'last_stage_activation': 'features',
    'guide_config': 'mm.config',
    'unguide_config': 'mm.config',
}
_ROOMS = (
    'annotation',
    'data',
    'experiments',
    'features',
    'fine_tuning',
    'functional',
    'guidance',
    'masks',
    'metrics',
    'mm',
    'repair',
    'visualization',
)

__all__ = ['__version__', *_ATTRIBUTES, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ATTRIBUTES:
        return getattr(import_module(f'{__name__}.{_ATTRIBUTES[name]}'), name)
    if name in _ROOMS:
        return import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
