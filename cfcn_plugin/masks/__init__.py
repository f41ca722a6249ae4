"""Mask sources: readers of human-made masks, one file for each source.

``base`` defines the interface of a source. ``folder`` is the base of sources with one
file per image, ``index`` the base of sources with one file for all images. ``objects``
selects annotated objects. ``io`` reads files and draws shapes. See docs/masks.md.
"""

from .base import MaskRecord, MaskSource, image_key
from .boxes import BoxMasks
from .coco import COCOMasks
from .cub import CUBBoxMasks, CUBSegmentationMasks
from .cvat import CVATMasks
from .errors import MaskError, MaskSizeError
from .idrid import IDRiDMasks
from .label_studio import LabelStudioMasks
from .labelme import LabelMeMasks
from .mask_loader import MaskLoader
from .mask_query import QueryResult
from .mat import MatMasks
from .png import PNGMasks
from .points import PointMasks
from .refine import GrabCut
from .scribble import ScribbleMasks
from .selection import (
    choose_guided,
    format_guided_list,
    guidance_rank,
    read_guided_list,
)
from .trimap import TrimapMasks
from .voc import VOCMasks
from .yolo import YOLOMasks

__all__ = [
    'BoxMasks',
    'COCOMasks',
    'CUBBoxMasks',
    'CUBSegmentationMasks',
    'CVATMasks',
    'GrabCut',
    'IDRiDMasks',
    'LabelMeMasks',
    'LabelStudioMasks',
    'MaskError',
    'MaskLoader',
    'MaskRecord',
    'MaskSizeError',
    'MaskSource',
    'MatMasks',
    'PNGMasks',
    'PointMasks',
    'QueryResult',
    'ScribbleMasks',
    'TrimapMasks',
    'VOCMasks',
    'YOLOMasks',
    'choose_guided',
    'format_guided_list',
    'guidance_rank',
    'image_key',
    'read_guided_list',
]
