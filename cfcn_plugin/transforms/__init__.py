"""Transforms that load a mask, move it with its picture, and pack both."""
from .loading import LoadActivationMask
from .mask_aware import GEOMETRIC, MaskAware
from .packing import PackGuidedInputs

__all__ = ['GEOMETRIC', 'LoadActivationMask', 'MaskAware', 'PackGuidedInputs']
