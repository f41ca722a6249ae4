"""Tensors in, tensors out: the equations of the package. Imports torch alone.

The loss, the metric and the heatmap all call these functions, so that what is trained,
what is measured and what is drawn cannot differ.
"""

from .focus import (
    causal_focus_loss,
    causal_focus_ratio,
    focus_ratio_bounds,
    pool_channels,
)
from .precision import at_least_float32
from .resize import RESIZES, crop_or_extend, resize_mask

__all__ = [
    'RESIZES',
    'at_least_float32',
    'causal_focus_loss',
    'causal_focus_ratio',
    'crop_or_extend',
    'focus_ratio_bounds',
    'pool_channels',
    'resize_mask',
]
