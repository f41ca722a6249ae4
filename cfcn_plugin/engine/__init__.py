"""Runner, runner hooks, loops and an optimizer wrapper of ours."""
from .collapse_hook import CollapseHook
from .cpu_amp import CPUAmpOptimWrapper
from .focus_visualization_hook import FocusVisualizationHook
from .guidance_check_hook import GuidanceCheckHook
from .guidance_warm_up_hook import GuidanceWarmUpHook
from .mean_log_hook import MeanLogHook
from .one_read_hook import OneReadHook
from .probing_loops import ProbingTestLoop, ProbingValLoop
from .resolved_config_hook import ResolvedConfigHook
from .resume import (
    ExactResumeHook,
    FiniteLossHook,
    PendingValidationHook,
    ResumableEpochLoop,
    ResumableIterLoop,
    ResumableRunner,
    StopSignalHook,
    WholeCheckpointHook,
    newest_checkpoint,
)

__all__ = [
    'CPUAmpOptimWrapper', 'CollapseHook', 'ExactResumeHook', 'FiniteLossHook',
    'FocusVisualizationHook', 'GuidanceCheckHook', 'GuidanceWarmUpHook', 'MeanLogHook',
    'OneReadHook', 'PendingValidationHook', 'ProbingTestLoop', 'ProbingValLoop',
    'ResolvedConfigHook', 'ResumableEpochLoop', 'ResumableIterLoop', 'ResumableRunner',
    'StopSignalHook', 'WholeCheckpointHook', 'newest_checkpoint'
]
