"""Knowledge of backbones: where the last map is, how it lies, how to take it."""
from .feature_hook import Capture, FeatureHook, armed, last_stage_activation
from .layouts import Layout, UnknownBackbone, backbone_layout, timm_output

__all__ = [
    'Capture', 'FeatureHook', 'Layout', 'UnknownBackbone', 'armed', 'backbone_layout',
    'last_stage_activation', 'timm_output'
]
