"""Pure functions from config to config: guided, and stock again."""

from mmengine.config import Config

from .guide import guide_config, guide_pipeline
from .read_config_file import read_config_file
from .unguide import unguide_config

__all__ = [
    'Config',
    'guide_config',
    'guide_pipeline',
    'read_config_file',
    'unguide_config',
]
