"""The adapter to mmengine, mmcv and mmpretrain; importing it registers all classes.

Configs set ``custom_imports = dict(imports=['cfcn_plugin.mm'])``.
"""
from cfcn_plugin.stack import require_stack

STACK = require_stack()

from .registration import register_all  # noqa: E402  (needs the packages checked for)

register_all()

__all__ = ['STACK', 'register_all']
