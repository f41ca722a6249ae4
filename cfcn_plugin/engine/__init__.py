"""Runner hooks, loops and an optimizer wrapper of ours."""
from .collapse_hook import CollapseHook
from .cpu_amp import CPUAmpOptimWrapper
from .finite_focus_hook import FiniteFocusHook
from .focus_visualization_hook import FocusVisualizationHook
from .guidance_check_hook import GuidanceCheckHook
from .guidance_warm_up_hook import GuidanceWarmUpHook
from .mean_log_hook import MeanLogHook
from .probing_loops import ProbingTestLoop, ProbingValLoop
from .resolved_config_hook import ResolvedConfigHook

__all__ = [
    'CPUAmpOptimWrapper', 'CollapseHook', 'FiniteFocusHook', 'FocusVisualizationHook',
    'GuidanceCheckHook', 'GuidanceWarmUpHook', 'MeanLogHook', 'ProbingTestLoop',
    'ProbingValLoop', 'ResolvedConfigHook'
]
