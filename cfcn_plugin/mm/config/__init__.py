"""Pure functions from config to config: guided, and stock again."""
from mmengine.config import Config

from .guide import guide_config
from .unguide import unguide_config

__all__ = ['Config', 'guide_config', 'unguide_config']
