"""Guided models: stock classifiers with guidance, and the paper's networks."""

from .backbones import CFCNNet, GuidedTIMMBackbone
from .batch_augment import register_batch_augment
from .data_preprocessor import GuidedDataPreprocessor
from .guided import (
    GUIDED_TYPES,
    GuidedClassifier,
    GuidedRetriever,
    GuidedTimmClassifier,
)
from .guided_mixin import GuidedMixin
from .heads import CausalFocusHead

__all__ = [
    'CFCNNet',
    'CausalFocusHead',
    'GUIDED_TYPES',
    'GuidedClassifier',
    'GuidedDataPreprocessor',
    'GuidedMixin',
    'GuidedRetriever',
    'GuidedTIMMBackbone',
    'GuidedTimmClassifier',
    'register_batch_augment',
]
