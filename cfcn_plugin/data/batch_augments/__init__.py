"""Mask-true batch augments: images, scores and masks in, all three out."""
from .background_swap import BackgroundSwap
from .cutmix import cutmix
from .mixing import mix_labels
from .mixup import mixup
from .resizemix import resizemix

__all__ = ['BackgroundSwap', 'cutmix', 'mix_labels', 'mixup', 'resizemix']
