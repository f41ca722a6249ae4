"""Moving masks with mmpretrain's Albumentations wrapper."""

import numpy as np
from mmcv.transforms import BaseTransform


def fill_masks_with_context(transform: BaseTransform) -> BaseTransform:
    """A copy of mmpretrain's ``Albumentations`` that fills masks with 0."""
    for part in _parts(transform.aug):
        if getattr(part, 'fill_mask', None) is not None:
            part.fill_mask = 0
    return transform


def move_by_albumentations(
    transform: BaseTransform, results: dict, planes: dict[str, np.ndarray]
) -> dict:
    """Run the wrapper once for image and masks.

    A second run is not possible, since Albumentations has its own random generators.
    The masks are passed as Albumentations' target ``masks``, which Albumentations
    moves by nearest neighbour.

    Args:
        transform: The result of :func:`fill_masks_with_context`.
        results: A sample's dict.
        planes: The sample's masks, (H, W) or (K, H, W), by key.

    Returns:
        The sample's dict with image and masks moved.
    """
    flat = [
        plane
        for mask in planes.values()
        for plane in mask.reshape(-1, *mask.shape[-2:])
    ]
    results = transform({**results, 'masks': flat})
    moved = iter(results.pop('masks'))
    for key, mask in planes.items():
        results[key] = (
            next(moved) if mask.ndim == 2 else np.stack([next(moved) for _ in mask])
        )
    return results


def _parts(aug):
    yield aug
    for part in getattr(aug, 'transforms', ()):
        yield from _parts(part)
