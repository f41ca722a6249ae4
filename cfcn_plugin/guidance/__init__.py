"""Ways to use a mask in training, one file each."""
from .base import Guidance, Part, Seen
from .causal_focus import CausalFocusLoss

__all__ = ['CausalFocusLoss', 'Guidance', 'Part', 'Seen']
