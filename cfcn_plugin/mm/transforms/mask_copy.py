"""Copies of transforms for masks: nearest neighbour, with context as fill value."""

from copy import copy
from functools import cache
from types import FunctionType

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform, RandomFlip
from mmpretrain.datasets import RandomResizedCrop
from PIL import Image
from torchvision.transforms import (
    AutoAugment,
    InterpolationMode,
    RandAugment,
    TrivialAugmentWide,
    autoaugment,
)

from cfcn_plugin.data.moved_planes import GEOMETRIC_OPS

# The settings of a mask. Pillow's nearest neighbour samples at the centre of a cell, as
# cv2.INTER_NEAREST_EXACT does. OpenCV's INTER_NEAREST, the only choice in mmcv, samples
# at the corner of the cell, half a cell off.
SETTINGS = dict(interpolation='nearest', backend='pillow', pad_val=0, fill=0)
POLICIES = (AutoAugment, RandAugment, TrivialAugmentWide)


def mask_copy(transform):
    """A copy of a geometric transform and its inner transforms, with mask settings.

    Args:
        transform: A transform of mmcv, mmpretrain or torchvision, or a subclass.
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


def crop_plane(
    transform: RandomResizedCrop, drawn: dict, plane: np.ndarray
) -> np.ndarray:
    """The crop of a plane, by the nearest neighbour of Pillow."""
    top, left, height, width = drawn['rand_crop_params']
    return cv2.resize(
        plane[top : top + height, left : left + width],
        tuple(transform.scale[::-1]),
        interpolation=cv2.INTER_NEAREST_EXACT,
    )


def flip_plane(transform: RandomFlip, drawn: dict, plane: np.ndarray) -> np.ndarray:
    """The flipped plane; the same plane if nothing is flipped."""
    direction = drawn['_choose_direction']
    return plane if direction is None else cv2.flip(plane, FLIPS[direction])


FLIPS = dict(vertical=0, horizontal=1, diagonal=-1)  # OpenCV's codes
# The most frequent transforms: for masks by the recorded draw, without a second run
BY_DRAW = {RandomResizedCrop: crop_plane, RandomFlip: flip_plane}


class GeometricPolicy:
    """A torchvision policy that applies only its geometric operations."""

    def __init__(self, policy: torch.nn.Module):
        self.policy = policy

    def __call__(self, image: Image.Image) -> Image.Image:
        return _geometric_forward(type(self.policy))(self.policy, image)


@cache
def _geometric_forward(policy: type):
    """The policy's ``forward`` with :func:`_apply_geometric_op` for ``_apply_op``.

    The code object is the same; only its namespace is replaced.
    """
    code = policy.forward.__code__
    if '_apply_op' not in code.co_names:
        raise TypeError(
            f'MaskAware does not support {policy.__name__}.forward: use a policy of '
            'torchvision without changes'
        )
    return FunctionType(
        code,
        {**policy.forward.__globals__, '_apply_op': _apply_geometric_op},
        closure=policy.forward.__closure__,
    )


def _apply_geometric_op(image, op_name: str, *args, **kwargs):
    if op_name in GEOMETRIC_OPS:
        return autoaugment._apply_op(image, op_name, *args, **kwargs)
    return image
