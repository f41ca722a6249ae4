"""Runner hooks and loops of ours."""
from .collapse_hook import CollapseHook
from .finite_focus_hook import FiniteFocusHook
from .focus_visualization_hook import FocusVisualizationHook
from .guidance_check_hook import GuidanceCheckHook
from .guidance_warm_up_hook import GuidanceWarmUpHook
from .one_read_hook import OneReadHook
from .probing_loops import ProbingTestLoop, ProbingValLoop
from .resolved_config_hook import ResolvedConfigHook

__all__ = [
    'CollapseHook', 'FiniteFocusHook', 'FocusVisualizationHook', 'GuidanceCheckHook',
    'GuidanceWarmUpHook', 'OneReadHook', 'ProbingTestLoop', 'ProbingValLoop',
    'ResolvedConfigHook'
]
