"""Transforms that load a mask, move image and mask together, and pack both."""

from .load_image import LoadImage
from .loading import LoadActivationMask
from .mask_aware import MaskAware
from .packing import PackGuidedInputs
from .transform_kinds import (
    COMPOUND,
    GEOMETRIC,
    PHOTOMETRIC,
    kind_of,
    moves_pixels,
    transform_type,
    type_name,
)

__all__ = [
    'COMPOUND',
    'GEOMETRIC',
    'LoadActivationMask',
    'LoadImage',
    'MaskAware',
    'PHOTOMETRIC',
    'PackGuidedInputs',
    'kind_of',
    'moves_pixels',
    'transform_type',
    'type_name',
]
