"""Runner, runner hooks, loops and an optimizer wrapper."""

from .batched_log_hook import BatchedLogHook
from .cpu_amp import CPUAmpOptimWrapper
from .dead_map_hook import DeadMapHook
from .focus_visualization_hook import FocusVisualizationHook
from .guidance_check_hook import GuidanceCheckHook
from .guidance_warm_up_hook import GuidanceWarmUpHook
from .model_aware_loops import ModelAwareLoopHook, ModelAwareTestLoop, ModelAwareValLoop
from .reduce_log_hook import ReduceLogHook
from .resolved_config_hook import ResolvedConfigHook
from .resume.atomic_checkpoint_hook import AtomicCheckpointHook
from .resume.atomic_file_backend import AtomicFileBackend
from .resume.check_invalid_loss_hook import CheckInvalidLossHook
from .resume.exact_resume_hook import ExactResumeHook
from .resume.newest_checkpoint import newest_checkpoint
from .resume.preemption_hook import PreemptionHook
from .resume.resumable_loops import ResumableEpochLoop, ResumableIterLoop
from .resume.resumable_runner import ResumableRunner

__all__ = [
    'AtomicCheckpointHook',
    'AtomicFileBackend',
    'BatchedLogHook',
    'CPUAmpOptimWrapper',
    'CheckInvalidLossHook',
    'DeadMapHook',
    'ExactResumeHook',
    'FocusVisualizationHook',
    'GuidanceCheckHook',
    'GuidanceWarmUpHook',
    'ModelAwareLoopHook',
    'ModelAwareTestLoop',
    'ModelAwareValLoop',
    'PreemptionHook',
    'ReduceLogHook',
    'ResolvedConfigHook',
    'ResumableEpochLoop',
    'ResumableIterLoop',
    'ResumableRunner',
    'newest_checkpoint',
]
