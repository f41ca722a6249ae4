"""Transforms that load a mask, move it with its picture, and pack both."""
from .kinds import (
    COMPOUND,
    GEOMETRIC,
    PHOTOMETRIC,
    kind_of,
    moves_pixels,
    transform_type,
    type_name,
)
from .loading import LoadActivationMask
from .mask_aware import MaskAware
from .packing import PackGuidedInputs
from .picture import LoadPicture

__all__ = [
    'COMPOUND', 'GEOMETRIC', 'LoadActivationMask', 'LoadPicture', 'MaskAware',
    'PHOTOMETRIC', 'PackGuidedInputs', 'kind_of', 'moves_pixels', 'transform_type',
    'type_name'
]
