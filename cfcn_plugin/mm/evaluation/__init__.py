"""Metrics: where the evidence lies, and how good the answers are."""

from .auroc import AUROC
from .background_swap_metric import BackgroundSwapMetric
from .calibration import Calibration
from .explanation_focus import ExplanationFocus
from .focus_metric import FocusMetric
from .group_accuracy import GroupAccuracy
from .lighting_curves import BrightnessCurve, ContrastCurve

__all__ = [
    'AUROC',
    'BackgroundSwapMetric',
    'BrightnessCurve',
    'Calibration',
    'ContrastCurve',
    'ExplanationFocus',
    'FocusMetric',
    'GroupAccuracy',
]
