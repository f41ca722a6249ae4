"""Ways to use a mask in training, one file each."""

from .actdiff import ActDiffLoss
from .causal_focus import CausalFocusLoss
from .combined import Combined
from .consistency import ConsistencyLoss
from .explanation import ExplanationLoss
from .gain import GAINLoss
from .guidance import Guidance
from .guidance_batch import GuidanceBatch, ModelView
from .guide import Guide
from .guided_saliency import guided_saliency
from .literal_focus import LiteralFocusLoss
from .mask_batch import MaskBatch, MixComponent
from .right_reasons import RightReasonsLoss
from .uniform_context import UniformContextLoss

__all__ = [
    'ActDiffLoss',
    'CausalFocusLoss',
    'Combined',
    'ConsistencyLoss',
    'ExplanationLoss',
    'GAINLoss',
    'Guidance',
    'GuidanceBatch',
    'Guide',
    'LiteralFocusLoss',
    'MaskBatch',
    'MixComponent',
    'ModelView',
    'RightReasonsLoss',
    'UniformContextLoss',
    'guided_saliency',
]
