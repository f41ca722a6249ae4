"""Training data with masks: a wrapper of torch data sets, their collate function,
batch augments, and public data sets made ready.
"""

from .batch_augments import BackgroundSwap, cutmix, mixup, resizemix
from .collate import collate
from .image_files import load_image
from .joint_transform import JointTransform
from .masked_dataset import MaskedDataset
from .stack_masks import stack_masks

__all__ = [
    'BackgroundSwap',
    'JointTransform',
    'MaskedDataset',
    'collate',
    'cutmix',
    'load_image',
    'mixup',
    'resizemix',
    'stack_masks',
]
