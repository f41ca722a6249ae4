"""Applying a stock transform to image and mask with one random draw."""

from collections.abc import Callable
from copy import copy

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpretrain.datasets import Albumentations
from mmpretrain.registry import TRANSFORMS
from PIL import Image

from cfcn_plugin.options import check_flag

from .agreement import check_flips, check_sizes, moved_planes
from .albumentations_adapter import fill_masks_with_context, move_by_albumentations
from .mask_copy import BY_DRAW, mask_copy
from .one_draw import OneDraw
from .transform_kinds import GEOMETRIC, kind_of, type_name, unwrap


class MaskAware(BaseTransform):
    """Wraps a stock transform to move image and mask by the same draw.

    The wrapped transform is applied to the image unchanged. A copy of the transform,
    with nearest neighbour interpolation and context as fill value, is then applied to
    each mask with the same random numbers. In a compound transform (RandAugment,
    AutoAugment, RandomApply ...) each inner transform is wrapped. Transforms that move
    no pixel do not change the mask. Instances are thread-safe, except for the case in
    :class:`.OneDraw`.

    **Required Keys:** those of the wrapped transform

    **Modified Keys:**

    - those of the wrapped transform
    - activation_mask, ignore_mask, source_positions: if present

    Args:
        transform: The stock transform.
        photometric: Declare that a transform unknown to :mod:`.transform_kinds` moves
            no pixel, so that it is applied only to the image.

    Raises:
        TypeError: The transform is unknown to :mod:`.transform_kinds`.
        ValueError: During a call: image and mask differ in size, or only the image was
            flipped before.
    """

    @staticmethod
    def stock(config: dict) -> dict:
        """The config of the wrapped transform."""
        return config['transform']

    def __init__(self, transform: dict | BaseTransform, photometric: bool = False):
        check_flag('photometric', photometric)
        if isinstance(transform, dict):
            transform = TRANSFORMS.build(transform)
        self.name = type_name(transform)
        kind = 'photometric' if photometric else kind_of(type(unwrap(transform)))
        self.photometric = kind == 'photometric'
        self.for_masks = None  # the mask copy of a geometric transform
        if kind == 'compound':
            transform = _aware_inside(transform)
        elif kind == 'geometric' and isinstance(transform, Albumentations):
            self.for_masks = fill_masks_with_context(transform)
        elif kind == 'geometric':
            self.for_masks = mask_copy(transform)
        elif kind is None:
            raise TypeError(
                f'MaskAware does not support {self.name}. If {self.name} moves no '
                'pixel, set `photometric=True`; otherwise use one of '
                f'{", ".join(dict.fromkeys(t.__name__ for t in GEOMETRIC))} or a '
                'subclass of theirs'
            )
        self.inner = transform
        self.one_draw = OneDraw(transform)
        self.by_draw = BY_DRAW.get(type(transform))

    def transform(self, results: dict) -> dict | None:
        planes = moved_planes(results)
        if not planes:
            return self.inner(results)
        check_flips(results, f'before {self.name}')
        flipped = results.get('flip', False)
        if isinstance(self.for_masks, Albumentations):
            results = move_by_albumentations(self.for_masks, results, planes)
        elif self.for_masks is not None:
            results = self._move(results, planes)
        elif self.one_draw.by_methods:
            results = self.one_draw()(self.inner, results)
        else:
            results = self.inner(results)
        if results is None:  # mmengine then loads another sample
            return None
        if results.get('flip', False) != flipped:
            results['mask_flip'] = results['flip']
        check_sizes(results, results['img'], f'after {self.name}')
        return results

    def _move(self, results: dict, planes: dict[str, np.ndarray]) -> dict | None:
        before = {k: results[k] for k in ('ori_shape', 'img_shape') if k in results}
        run = self.one_draw()
        results = run(self.inner, results)
        for key, mask in planes.items():
            results[key] = self._move_mask(mask, before, run)
        return results

    def _move_mask(self, mask: np.ndarray, before: dict, run: Callable) -> np.ndarray:
        if mask.ndim == 3:
            return np.stack([self._move_mask(plane, before, run) for plane in mask])
        plane = np.ascontiguousarray(mask)
        if self.by_draw is not None:
            return self.by_draw(self.inner, run.drawn, plane)
        if isinstance(unwrap(self.inner), torch.nn.Module):  # torchvision: PIL images
            plane = Image.fromarray(plane)
        moved = run(self.for_masks, {**before, 'img': plane})['img']
        if isinstance(moved, np.ndarray) and (
            moved.flags.c_contiguous and moved.flags.writeable
        ):
            return moved
        return np.require(moved, requirements=['C', 'W'])  # of Pillow, or a view

    def __repr__(self):
        return (
            f'{type(self).__name__}(transform={self.inner}, '
            f'photometric={self.photometric})'
        )


def _aware_inside(compound: BaseTransform) -> BaseTransform:
    """A copy of a compound transform with mask-aware inner transforms."""
    compound, parts = copy(compound), compound.transforms
    compound.transforms = (
        MaskAware(parts)
        if isinstance(parts, BaseTransform)
        # RandomApply's
        else [p if isinstance(p, MaskAware) else MaskAware(p) for p in parts]
    )
    return compound
