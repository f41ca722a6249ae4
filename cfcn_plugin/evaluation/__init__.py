"""Metrics: where the evidence lies, and how good the answers are."""
from .auroc import AUROC
from .focus_metric import FocusMetric
from .group_accuracy import GroupAccuracy

__all__ = ['AUROC', 'FocusMetric', 'GroupAccuracy']
