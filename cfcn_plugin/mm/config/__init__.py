"""Pure functions from config to config: guided, and stock again."""
from mmengine.config import Config

from .guide import guide_config, guide_pipeline
from .unguide import unguide_config

__all__ = ['Config', 'guide_config', 'guide_pipeline', 'unguide_config']
