"""A copy of a transform that moves masks: by nearest neighbour, filled with context."""
from copy import copy
from functools import cache
from types import FunctionType

import torch
from mmcv.transforms import BaseTransform
from PIL import Image
from torchvision.transforms import (
    AutoAugment,
    InterpolationMode,
    RandAugment,
    TrivialAugmentWide,
    autoaugment,
)

# What a mask needs instead of the image's setting. Pillow's nearest takes the pixel
# under a cell's centre, as cv2.INTER_NEAREST_EXACT; OpenCV's plain one, and mmcv knows
# no other, that at the cell's corner, half a cell off.
SETTINGS = dict(interpolation='nearest', backend='pillow', pad_val=0, fill=0)
POLICIES = (AutoAugment, RandAugment, TrivialAugmentWide)
# These policies apply their operations by name
GEOMETRIC_OPS = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')


def mask_copy(transform):
    """A copy of a geometric transform, and of those inside it, with a mask's settings.

    Args:
        transform: One of mmcv's, mmpretrain's or torchvision's, or a user's subclass.
    """
    transform = copy(transform)
    for name, value in vars(transform).items():
        if isinstance(value, BaseTransform | torch.nn.Module):
            value = mask_copy(value)
        elif isinstance(value, InterpolationMode):
            value = InterpolationMode.NEAREST
        elif name == 'pad_cfg':  # mmcv's CenterCrop
            value = {**value, 'pad_val': 0}
        elif name in SETTINGS:  # mmcv's Pad keeps a dict
            new = SETTINGS[name]
            value = dict.fromkeys(value, new) if isinstance(value, dict) else new
        setattr(transform, name, value)
    return GeometricPolicy(transform) if isinstance(transform, POLICIES) else transform


class GeometricPolicy:
    """A policy of torchvision's that applies its geometric operations alone."""

    def __init__(self, policy: torch.nn.Module):
        self.policy = policy

    def __call__(self, image: Image.Image) -> Image.Image:
        return _geometric_forward(type(self.policy))(self.policy, image)


@cache
def _geometric_forward(policy: type):
    """Its ``forward``, which draws operations and applies each by ``_apply_op``.

    This is the same code, with another function of this name in its namespace.
    """
    code = policy.forward.__code__
    if '_apply_op' not in code.co_names:
        raise TypeError(
            f'MaskAware does not know how {policy.__name__}.forward applies its '
            'operations: use a policy of torchvision as it is')
    return FunctionType(
        code, {**policy.forward.__globals__, '_apply_op': _apply_geometric_op},
        closure=policy.forward.__closure__)


def _apply_geometric_op(image, op_name: str, *args, **kwargs):
    if op_name in GEOMETRIC_OPS:
        return autoaugment._apply_op(image, op_name, *args, **kwargs)
    return image
