"""Mask sources: where the human's masks come from, one file a format."""
from .base import MaskError, MaskRecord, MaskSource, image_key
from .boxes import BoxMasks
from .coco import COCOMasks
from .cub import CUBBoxMasks, CUBSegmentationMasks
from .png import PNGMasks
from .selection import choose_guided, guidance_rank, read_guided_list
from .trimap import TrimapMasks
from .voc import VOCMasks
from .yolo import YOLOMasks

__all__ = [
    'BoxMasks', 'COCOMasks', 'CUBBoxMasks', 'CUBSegmentationMasks', 'MaskError',
    'MaskRecord', 'MaskSource', 'PNGMasks', 'TrimapMasks', 'VOCMasks', 'YOLOMasks',
    'choose_guided', 'guidance_rank', 'image_key', 'read_guided_list'
]
