"""Training data with masks: batch augments, and public data sets made ready."""
from .batch_augments import BackgroundSwap, cutmix, mixup, resizemix

__all__ = ['BackgroundSwap', 'cutmix', 'mixup', 'resizemix']
