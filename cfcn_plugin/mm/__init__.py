"""The adapter to mmengine, mmcv and mmpretrain; importing it registers all classes.

Configs set ``custom_imports = dict(imports=['cfcn_plugin.mm'])``.
"""

from cfcn_plugin.stack import require_stack

from .quiet_import import import_quietly

STACK = require_stack()
import_quietly('mmpretrain.datasets', 'mmpretrain.models')

from .registration import register_all  # noqa: E402  (needs the packages checked for)

register_all()

__all__ = ['STACK', 'register_all']
