"""Fine-tuning of a pretrained network that keeps what the network has learned."""

from .depth import layers_by_depth
from .fine_tuning import FineTuning

__all__ = ['FineTuning', 'layers_by_depth']
