"""Runs that can go on after a kill, from complete checkpoints."""
from .atomic_checkpoint_hook import AtomicCheckpointHook
from .atomic_file_backend import AtomicFileBackend
from .check_invalid_loss_hook import CheckInvalidLossHook
from .exact_resume_hook import ExactResumeHook, PendingValidationHook
from .newest_checkpoint import newest_checkpoint
from .preemption_hook import PreemptionHook
from .resumable_loops import ResumableEpochLoop, ResumableIterLoop
from .resumable_runner import ResumableRunner

__all__ = [
    'ExactResumeHook', 'CheckInvalidLossHook', 'PendingValidationHook',
    'ResumableEpochLoop', 'ResumableIterLoop', 'ResumableRunner', 'PreemptionHook',
    'AtomicCheckpointHook', 'AtomicFileBackend', 'newest_checkpoint'
]
