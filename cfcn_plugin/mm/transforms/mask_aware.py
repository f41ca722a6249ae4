"""One draw for image and mask, whatever stock transform is inside."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial

import cv2
import numpy as np
import torch
from mmcv.image.geometric import cv2_interp_codes
from mmcv.transforms import BaseTransform
from mmpretrain.datasets import Albumentations
from mmpretrain.registry import TRANSFORMS
from PIL import Image
from torchvision.transforms import InterpolationMode, autoaugment

from cfcn_plugin.mm.random_state import random_state, set_random_state

from .albumentations_adapter import move_by_albumentations
from .transform_kinds import GEOMETRIC, kind_of, type_name, unwrap

# OpenCV's plain nearest takes the pixel at a cell's corner, half a cell off; this one
# that under its centre, as Pillow's does in four times the time
cv2_interp_codes.setdefault('nearest_exact', cv2.INTER_NEAREST_EXACT)
# What a mask needs instead of the image's setting
FOR_MASKS = dict(interpolation='nearest', pad_val=0, fill=0)
FOR_RESIZED = dict(FOR_MASKS, interpolation='nearest_exact', backend='cv2')
# What moves with the image
MOVED = ('activation_mask', 'ignore_mask', 'source_positions')
# torchvision's augmentation policies apply these by name
GEOMETRIC_OPS = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')


class MaskAware(BaseTransform):
    """A stock transform that moves image and mask by the same draw.

    The image goes through the wrapped transform as it would alone, with the same
    random numbers. The mask then goes through it with the same random numbers
    again, by nearest neighbour and filled with context. Of a transform that runs
    others (RandAugment, AutoAugment, RandomApply ...), each of these is made
    mask-aware; those that move no pixel leave the mask alone.

    **Required Keys:** those of the wrapped transform

    **Modified Keys:**

    - those of the wrapped transform
    - activation_mask, ignore_mask, source_positions: if present

    Args:
        transform: The stock transform.
        photometric: Declare that a transform unknown to :mod:`.kinds` moves no
            pixel: it is applied to the image alone.

    Raises:
        TypeError: It is not known whether the transform moves pixels, and it is not
            declared photometric.
        ValueError: While running: image and mask no longer agree in size, or the
            image alone was flipped before.
    """

    @staticmethod
    def stock(config: dict) -> dict:
        """The transform inside."""
        return config['transform']

    def __init__(self, transform: dict | BaseTransform, photometric: bool = False):
        if isinstance(transform, dict):
            transform = TRANSFORMS.build(transform)
        self.name = type_name(transform)
        kind = 'photometric' if photometric else kind_of(type(unwrap(transform)))
        self.photometric = kind == 'photometric'
        self.compound = kind == 'compound'
        if self.compound:
            transform = _aware_inside(transform)
        elif kind is None:
            raise TypeError(
                f'MaskAware does not know how {self.name} moves pixels. If it moves '
                'none, say `photometric=True`; if it does, use one of '
                f'{", ".join(dict.fromkeys(t.__name__ for t in GEOMETRIC))} or a '
                'subclass of theirs')
        self.inner = transform

    def transform(self, results: dict) -> dict:
        planes = _planes(results)
        flipped = results.get('flip', False)
        if planes and flipped != results.get('mask_flip', False):
            raise ValueError(
                f"the image '{results.get('img_path')}' was flipped before "
                f'{self.name} and its mask was not: wrap that flip in MaskAware too')
        if self.photometric or self.compound or not planes:
            results = self.inner(results)
            if results is None:  # the host then asks for another sample
                return None
        elif isinstance(self.inner, Albumentations):
            results = move_by_albumentations(self.inner, results, planes)
        else:
            before = {
                key: results[key]
                for key in ('ori_shape', 'img_shape') if key in results
            }
            with _one_draw(self.inner) as again:
                results = self.inner(results)
                with _for_masks(self.inner):
                    for key, mask in planes.items():
                        results[key] = self._move(mask, before, again)
        if results.get('flip', False) != flipped:
            results['mask_flip'] = results['flip']
        _check_sizes(results, self.name)
        return results

    def _move(self, mask: np.ndarray, before: dict, again: Callable) -> np.ndarray:
        if mask.ndim == 3:
            return np.stack([self._move(plane, before, again) for plane in mask])
        again()  # consumed again, the numbers end where the image's ended
        plane = np.ascontiguousarray(mask)
        if isinstance(unwrap(self.inner), torch.nn.Module):  # torchvision's take PIL
            plane = Image.fromarray(plane)
        moved = self.inner({**before, 'img': plane})['img']
        if isinstance(moved, Image.Image):
            return np.array(moved)
        return np.ascontiguousarray(moved)

    def __repr__(self):
        return (f'{type(self).__name__}(transform={self.inner}, '
                f'photometric={self.photometric})')


def _aware_inside(compound: BaseTransform) -> BaseTransform:
    """A copy of a transform whose own transforms are mask-aware."""
    compound, parts = copy(compound), compound.transforms
    if isinstance(parts, BaseTransform):  # RandomApply keeps a Compose
        compound.transforms = MaskAware(parts)
    else:
        compound.transforms = [
            part if isinstance(part, MaskAware) else MaskAware(part) for part in parts
        ]
    return compound


def image_size(image) -> tuple[int, int]:
    """(H, W) of an array (H, W, C), a PIL image or a tensor (C, H, W)."""
    if isinstance(image, np.ndarray):
        return image.shape[:2]
    if isinstance(image, Image.Image):
        return image.size[::-1]
    return tuple(image.shape[-2:])


def _planes(results: dict) -> dict[str, np.ndarray]:
    return {key: results[key] for key in MOVED if key in results}


def _check_sizes(results: dict, name: str) -> None:
    for key, mask in _planes(results).items():
        size = image_size(results['img'])
        if mask.shape[-2:] != size:
            raise ValueError(
                f"after {name}, `{key}` of '{results.get('img_path')}' has height and "
                f'width {mask.shape[-2:]}, its image {size}: wrap {name}, and every '
                'transform before it that moves pixels, in MaskAware')


@contextmanager
def _one_draw(transform: BaseTransform) -> Iterator[Callable]:
    """Gives what to call before each run after the first, to draw the same again.

    To set numpy's state back takes longer than to move a mask. mmcv's random methods,
    though, can remember what they drew (``cache_random_params``, which itself refuses
    RandomResizedCrop: it finds one of its methods listed twice), and torchvision draws
    from torch alone. This is known of the packages' own transforms, and not of what
    users derive from them.
    """
    package = type(unwrap(transform)).__module__.partition('.')[0]
    if unwrap(transform) is not transform and package == 'torchvision':
        yield partial(torch.set_rng_state, torch.get_rng_state())
    elif package in ('mmcv', 'mmpretrain') and isinstance(transform, BaseTransform):
        transform._cache_enabled = True
        try:
            yield lambda: None
        finally:
            del transform._cache_enabled
            vars(transform).pop('_cache', None)
    else:
        yield partial(set_random_state, random_state())


@contextmanager
def _for_masks(transform: BaseTransform):
    """Set what a mask needs, on the transform and those inside it."""
    changed = []

    def change(part, name, value):
        changed.append((part, name, getattr(part, name)))
        setattr(part, name, value)

    for part in (unwrap(transform), *vars(transform).values()):
        if not isinstance(part, BaseTransform | torch.nn.Module):
            continue
        needs = FOR_RESIZED if hasattr(part, 'backend') else FOR_MASKS
        for name, value in needs.items():
            current = getattr(part, name, None)
            if isinstance(current, dict):  # mmcv's Pad
                change(part, name, dict(img=value, seg=value))
            elif isinstance(current, InterpolationMode):
                change(part, name, InterpolationMode.NEAREST)
            elif hasattr(part, name):
                change(part, name, value)
        if hasattr(part, 'pad_cfg'):  # mmcv's CenterCrop
            change(part, 'pad_cfg', {**part.pad_cfg, 'pad_val': 0})
    if hasattr(unwrap(transform), '_augmentation_space'):  # torchvision's policies
        change(autoaugment, '_apply_op', _geometric_op)
    try:
        yield
    finally:
        for part, name, value in reversed(changed):
            setattr(part, name, value)


def _geometric_op(image, op_name: str, *args, apply=autoaugment._apply_op, **kwargs):
    if op_name in GEOMETRIC_OPS:
        return apply(image, op_name, *args, **kwargs)
    return image
