"""Guided training for mmpretrain and timm: a few masks say what is the cause.

``import cfcn_plugin`` registers everything in mmpretrain's registries. Without an mm
stack the equations and :func:`last_stage_activation` on timm models still work.
"""
from . import functional
from ._stack import INSTALL, find_stack
from .features import FeatureHook, last_stage_activation
from .version import __version__

STACK = find_stack()

__all__ = [
    'FeatureHook', 'STACK', '__version__', 'functional', 'last_stage_activation'
]

if STACK is not None:
    from . import datasets, engine, evaluation, guidance, masks, models, transforms
    from .config import guide_config, unguide_config
    from .safe_loading import guard_checkpoints
    guard_checkpoints()
    __all__ += [
        'datasets', 'engine', 'evaluation', 'guidance', 'guide_config', 'masks',
        'models', 'transforms', 'unguide_config'
    ]
else:

    def __getattr__(name: str):
        if name.startswith('__'):
            raise AttributeError(name)
        raise ImportError(f'cfcn_plugin.{name} needs mmengine and mmpretrain, and '
                          f'neither is installed: {INSTALL}')
