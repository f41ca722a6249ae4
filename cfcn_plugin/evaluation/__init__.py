"""Metrics: where the evidence lies, and how good the answers are."""
from .auroc import AUROC
from .background_swap_test import BackgroundSwapTest
from .explanation_focus import ExplanationFocus
from .focus_metric import FocusMetric
from .group_accuracy import GroupAccuracy

__all__ = [
    'AUROC', 'BackgroundSwapTest', 'ExplanationFocus', 'FocusMetric', 'GroupAccuracy'
]
