"""Ways to use a mask in training, one file each."""
from .base import Guidance, Part, Seen
from .causal_focus import CausalFocusLoss
from .gain import GAINLoss

__all__ = ['CausalFocusLoss', 'GAINLoss', 'Guidance', 'Part', 'Seen']
