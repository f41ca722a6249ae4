"""Metrics: where the evidence lies, and how good the answers are."""
from .auroc import AUROC
from .explanation_focus import ExplanationFocus
from .focus_metric import FocusMetric
from .group_accuracy import GroupAccuracy

__all__ = ['AUROC', 'ExplanationFocus', 'FocusMetric', 'GroupAccuracy']
