"""Knowledge of backbones: where the last map is, how it lies, how to take it."""

from .capture import Capture, Captured
from .feature_hook import FeatureHook, last_stage_activation
from .layout import Layout, UnknownBackbone, patch_size
from .locate import attention_input, locate, locate_below_head
from .timm_layouts import timm_output

__all__ = [
    'Capture',
    'Captured',
    'FeatureHook',
    'Layout',
    'UnknownBackbone',
    'attention_input',
    'last_stage_activation',
    'locate',
    'locate_below_head',
    'patch_size',
    'timm_output',
]
