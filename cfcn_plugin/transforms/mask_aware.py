"""One draw for image and mask, whatever stock transform is inside."""
import random
from contextlib import contextmanager

import mmcv.transforms as mmcv_transforms
import mmpretrain.datasets.transforms as mmpretrain_transforms
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

# Transforms whose every draw depends on the picture's size, never on its pixels
GEOMETRIC = (
    mmcv_transforms.Resize,
    mmcv_transforms.RandomResize,
    mmcv_transforms.RandomChoiceResize,
    mmcv_transforms.RandomFlip,
    mmcv_transforms.CenterCrop,
    mmcv_transforms.Pad,
    mmpretrain_transforms.RandomResizedCrop,  # EfficientNetRandomCrop is one too
    mmpretrain_transforms.RandomCrop,
    mmpretrain_transforms.ResizeEdge,
    mmpretrain_transforms.EfficientNetCenterCrop,
)
# What a mask needs instead of the image's setting. Pillow's nearest takes the
# pixel under the cell's centre, OpenCV's the one at its corner: half a cell off.
FOR_MASKS = dict(interpolation='nearest', backend='pillow', pad_val=0)


@TRANSFORMS.register_module()
class MaskAware(BaseTransform):
    """A stock transform that moves image and mask by the same draw.

    The image goes through the wrapped transform as it would alone, with the same
    random numbers. The mask then goes through it with the same random numbers
    again, by nearest neighbour and filled with context. (mmcv's own way to apply one
    draw twice, ``cache_random_params``, refuses RandomResizedCrop: the list of its
    random methods, shared with EfficientNetRandomCrop, names one of them twice.)

    **Required Keys:** those of the wrapped transform

    **Modified Keys:**

    - those of the wrapped transform
    - activation_mask, ignore_mask: if present

    Args:
        transform: The stock transform.
        photometric: Declare that the transform moves no pixel: it is applied to
            the image alone.

    Raises:
        TypeError: The transform is not known to be geometric, and not declared
            photometric.
        ValueError: While running: image and mask no longer agree in size, or the
            image alone was flipped before.
    """

    def __init__(self, transform: dict | BaseTransform, photometric: bool = False):
        if isinstance(transform, dict):
            transform = TRANSFORMS.build(transform)
        self.inner = transform
        self.photometric = photometric
        self.name = type(transform).__name__
        if not photometric and not isinstance(transform, GEOMETRIC):
            known = ', '.join(t.__name__ for t in GEOMETRIC)
            raise TypeError(
                f'MaskAware does not know how {self.name} moves pixels: it knows '
                f'{known} and their subclasses. If it moves none, say '
                '`photometric=True`')

    def transform(self, results: dict) -> dict:
        planes = _planes(results)
        flipped = results.get('flip', False)
        if planes and flipped != results.get('mask_flip', False):
            raise ValueError(
                f"the picture '{results.get('img_path')}' was flipped before "
                f'{self.name} and its mask was not: wrap that flip in MaskAware too')
        if self.photometric or not planes:
            results = self.inner(results)
        else:
            before = {
                key: results[key]
                for key in ('ori_shape', 'img_shape') if key in results
            }
            draw = _random_state()
            results = self.inner(results)
            with _for_masks(self.inner):
                for key, mask in planes.items():
                    results[key] = self._move(mask, before, draw)
        if results.get('flip', False) != flipped:
            results['mask_flip'] = results['flip']
        _check_sizes(results, self.name)
        return results

    def _move(self, mask: np.ndarray, before: dict, draw: tuple) -> np.ndarray:
        if mask.ndim == 3:
            return np.stack([self._move(plane, before, draw) for plane in mask])
        _set_random_state(draw)  # consumed again, it ends where the picture's ended
        moved = self.inner({**before, 'img': np.ascontiguousarray(mask)})
        return np.ascontiguousarray(moved['img'])

    def __repr__(self):
        return (f'{type(self).__name__}(transform={self.inner}, '
                f'photometric={self.photometric})')


def _planes(results: dict) -> dict[str, np.ndarray]:
    return {
        key: results[key]
        for key in ('activation_mask', 'ignore_mask') if key in results
    }


def _check_sizes(results: dict, name: str) -> None:
    for key, mask in _planes(results).items():
        size = results['img'].shape[:2]
        if mask.shape[-2:] != size:
            raise ValueError(
                f"after {name}, `{key}` of '{results.get('img_path')}' has height and "
                f'width {mask.shape[-2:]}, its picture {size}: wrap {name}, and every '
                'transform before it that moves pixels, in MaskAware')


def _random_state() -> tuple:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _set_random_state(state: tuple) -> None:
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])


@contextmanager
def _for_masks(transform: BaseTransform):
    """Set what a mask needs, on the transform and those inside it."""
    changed = []
    for part in (transform, *vars(transform).values()):
        if not isinstance(part, BaseTransform):
            continue
        for name, value in FOR_MASKS.items():
            if hasattr(part, name):
                changed.append((part, name, getattr(part, name)))
                if isinstance(getattr(part, name), dict):  # mmcv's Pad
                    value = dict(img=value, seg=value)
                setattr(part, name, value)
        if hasattr(part, 'pad_cfg'):  # mmcv's CenterCrop
            changed.append((part, 'pad_cfg', part.pad_cfg))
            part.pad_cfg = {**part.pad_cfg, 'pad_val': 0}
    try:
        yield
    finally:
        for part, name, value in changed:
            setattr(part, name, value)
