"""Training data with masks: a wrapper of torch data sets, their collate function,
batch augments, and public data sets made ready."""
from .batch_augments import BackgroundSwap, cutmix, mixup, resizemix
from .stack_masks import stack_masks

__all__ = ['BackgroundSwap', 'cutmix', 'mixup', 'resizemix', 'stack_masks']
