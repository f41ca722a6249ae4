"""Masks through mmpretrain's Albumentations wrapper, whose transforms know masks."""
import numpy as np
from mmcv.transforms import BaseTransform


def move_by_albumentations(transform: BaseTransform, results: dict,
                           planes: dict[str, np.ndarray]) -> dict:
    """Run the wrapper once, for image and masks.

    It draws from generators of its own, so there is no second run: the masks are
    handed over as Albumentations' own target ``masks``, which it moves by nearest
    neighbour. What an option fills masks with is context here.

    Args:
        transform: mmpretrain's ``Albumentations``.
        results: A sample's dict.
        planes: Its masks, (H, W) or (K, H, W), by key.

    Returns:
        The sample's dict with image and masks moved.
    """
    for part in _parts(transform.aug):
        if getattr(part, 'fill_mask', None) is not None:
            part.fill_mask = 0
    flat = {key: mask.reshape(-1, *mask.shape[-2:]) for key, mask in planes.items()}
    results = transform({**results, 'masks': [*np.concatenate([*flat.values()])]})
    moved = np.stack([*results.pop('masks')])
    ends = np.cumsum([len(mask) for mask in flat.values()])
    for (key, mask), part in zip(planes.items(), np.split(moved, ends[:-1])):
        results[key] = np.ascontiguousarray(part if mask.ndim == 3 else part[0])
    return results


def _parts(aug):
    yield aug
    for part in getattr(aug, 'transforms', ()):
        yield from _parts(part)
