"""Repairing a trained model: its last linear layer is refitted on other backgrounds."""

from .cross_validation import RepairReport
from .linear_head import find_linear_head
from .repair import repair
from .swap_accuracy import SwapAccuracy, swap_accuracy

__all__ = [
    'RepairReport',
    'SwapAccuracy',
    'find_linear_head',
    'repair',
    'swap_accuracy',
]
