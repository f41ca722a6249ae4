"""Metrics of torchmetrics, for any loop; the metrics of mmengine compute by them."""

from .background_swap import BackgroundSwapAccuracy, answers_on_swapped
from .group_accuracy import GroupAccuracy
from .localization import Localization
from .named_means import GuidedMean, NamedMeans

__all__ = [
    'BackgroundSwapAccuracy',
    'GroupAccuracy',
    'GuidedMean',
    'Localization',
    'NamedMeans',
    'answers_on_swapped',
]
