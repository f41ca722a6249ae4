"""What lets a run die and go on: whole checkpoints, exact draws, signals, alarms."""
from .exact_resume_hook import ExactResumeHook, PendingValidationHook
from .finite_loss_hook import FiniteLossHook
from .newest_checkpoint import newest_checkpoint
from .resumable_loops import ResumableEpochLoop, ResumableIterLoop
from .resumable_runner import ResumableRunner
from .stop_signal_hook import StopSignalHook
from .whole_checkpoint_hook import WholeCheckpointHook

__all__ = [
    'ExactResumeHook', 'FiniteLossHook', 'PendingValidationHook', 'ResumableEpochLoop',
    'ResumableIterLoop', 'ResumableRunner', 'StopSignalHook', 'WholeCheckpointHook',
    'newest_checkpoint'
]
