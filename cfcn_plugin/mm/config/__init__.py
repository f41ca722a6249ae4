"""Pure functions from config to config: guided, and stock again."""
from .guide import guide_config
from .unguide import unguide_config

__all__ = ['guide_config', 'unguide_config']
