"""Guided models: stock classifiers with guidance, and the paper's networks."""
from mmpretrain.registry import MODELS

from cfcn_plugin.features import FeatureHook

from .backbones import CFCNNet, GuidedTIMMBackbone
from .background_swap import BackgroundSwap
from .data_preprocessor import GuidedDataPreprocessor
from .guided import (
                     GUIDED_TYPES,
                     GuidedClassifier,
                     GuidedMixin,
                     GuidedRetriever,
                     GuidedTimmClassifier,
)
from .heads import CausalFocusHead
from .mask_batch import MaskBatch

# here, since the hook's own file knows no mm package
MODELS.register_module(module=FeatureHook)

__all__ = [
    'BackgroundSwap', 'CFCNNet', 'CausalFocusHead', 'GUIDED_TYPES', 'GuidedClassifier',
    'GuidedDataPreprocessor', 'GuidedMixin', 'GuidedRetriever', 'GuidedTIMMBackbone',
    'GuidedTimmClassifier', 'MaskBatch'
]
