"""Runner hooks of ours."""
from .finite_focus_hook import FiniteFocusHook
from .focus_visualization_hook import FocusVisualizationHook
from .guidance_check_hook import GuidanceCheckHook
from .resolved_config_hook import ResolvedConfigHook

__all__ = [
    'FiniteFocusHook', 'FocusVisualizationHook', 'GuidanceCheckHook',
    'ResolvedConfigHook'
]
