"""Mask sources: where the human's masks come from, one file a format."""
from .base import MaskError, MaskRecord, MaskSizeError, MaskSource, image_key
from .boxes import BoxMasks
from .cvat import CVATMasks
from .idrid import IDRiDMasks
from .label_studio import LabelStudioMasks
from .labelme import LabelMeMasks
from .mat import MatMasks
from .png import PNGMasks
from .points import PointMasks
from .scribble import ScribbleMasks
from .selection import choose_guided, guidance_rank, read_guided_list
from .trimap import TrimapMasks

__all__ = [
    'BoxMasks', 'CVATMasks', 'IDRiDMasks', 'LabelMeMasks', 'LabelStudioMasks',
    'MaskError', 'MaskRecord', 'MaskSizeError', 'MaskSource', 'MatMasks', 'PNGMasks',
    'PointMasks', 'ScribbleMasks', 'TrimapMasks', 'choose_guided', 'guidance_rank',
    'image_key', 'read_guided_list'
]
