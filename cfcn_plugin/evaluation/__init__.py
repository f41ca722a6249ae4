"""Metrics: where the evidence lies, and how good the answers are."""
from .auroc import AUROC
from .background_swap_test import BackgroundSwapTest
from .calibration import Calibration
from .explanation_focus import ExplanationFocus
from .focus_metric import FocusMetric
from .group_accuracy import GroupAccuracy
from .lighting_curves import BrightnessCurve, ContrastCurve

__all__ = [
    'AUROC', 'BackgroundSwapTest', 'BrightnessCurve', 'Calibration', 'ContrastCurve',
    'ExplanationFocus', 'FocusMetric', 'GroupAccuracy'
]
