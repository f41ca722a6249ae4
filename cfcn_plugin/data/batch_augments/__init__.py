"""Mask-true batch augments: images, scores and masks in, all three out."""

from .background_swap import BackgroundSwap
from .cutmix import cutmix, resizemix
from .mixing import mix_labels, mixup

__all__ = ['BackgroundSwap', 'cutmix', 'mix_labels', 'mixup', 'resizemix']
