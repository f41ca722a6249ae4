"""Runner, runner hooks, loops and an optimizer wrapper of ours."""
from .collapse_hook import CollapseHook
from .cpu_amp import CPUAmpOptimWrapper
from .exact_resume_hook import ExactResumeHook, PendingValidationHook
from .finite_loss_hook import FiniteLossHook
from .focus_visualization_hook import FocusVisualizationHook
from .guidance_check_hook import GuidanceCheckHook
from .guidance_warm_up_hook import GuidanceWarmUpHook
from .mean_log_hook import MeanLogHook
from .newest_checkpoint import newest_checkpoint
from .one_read_hook import OneReadHook
from .probing_loops import ProbingTestLoop, ProbingValLoop
from .resolved_config_hook import ResolvedConfigHook
from .resumable_loops import ResumableEpochLoop, ResumableIterLoop
from .resumable_runner import ResumableRunner
from .stop_signal_hook import StopSignalHook
from .whole_checkpoint_hook import WholeCheckpointHook

__all__ = [
    'CPUAmpOptimWrapper', 'CollapseHook', 'ExactResumeHook', 'FiniteLossHook',
    'FocusVisualizationHook', 'GuidanceCheckHook', 'GuidanceWarmUpHook', 'MeanLogHook',
    'OneReadHook', 'PendingValidationHook', 'ProbingTestLoop', 'ProbingValLoop',
    'ResolvedConfigHook', 'ResumableEpochLoop', 'ResumableIterLoop', 'ResumableRunner',
    'StopSignalHook', 'WholeCheckpointHook', 'newest_checkpoint'
]
