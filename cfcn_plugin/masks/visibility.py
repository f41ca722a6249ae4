"""The visible fraction of an object in a draw, independent of the zoom.

A crop is resized to the model's input size, so the numbers of causal pixels before and
after a crop cannot be compared. Here each pixel has its position in the source, and
positions move with the mask. The gradient of the positions gives the source area of
one pixel. The product of this area and the number of causal pixels is the visible area.
"""

from typing import Any

import numpy as np

from .base import MaskRecord

LEVELS = 255  # positions along a side: all transforms support uint8
POINTS = 32  # side length of the grid on which positions are compared


def mask_fields(record: MaskRecord, min_visible: float = 0.0) -> dict:
    """What a sample's dict has of its mask.

    Args:
        record: The image's mask.
        min_visible: As in :func:`drop_cropped_out`.

    Returns:
        ``activation_mask``; ``mask_classes`` and ``ignore_mask`` if there are any; with
        ``min_visible`` also what tells the visible fraction later.
    """
    planes = dict(
        activation_mask=record.mask,
        mask_classes=record.classes,
        ignore_mask=record.ignore,
    )
    fields: dict[str, Any] = {
        key: value for key, value in planes.items() if value is not None
    }
    if min_visible:
        fields.update(
            source_positions=source_positions(record.mask.shape[-2:]),
            causal_area=np.mean(causal_pixels(fields) > 0),
            min_visible=min_visible,
        )
    return fields


def drop_cropped_out(results: dict) -> None:
    """Make a guided sample unguided if a crop shows too little of its object.

    Too little is no causal pixel, or less than ``min_visible`` of the object's area.
    The sample gets ``cropped_out``, a bool.
    """
    mask, least = causal_pixels(results), results.get('min_visible')
    if least is None:
        cropped_out = not mask.any()
    else:
        cropped_out = (
            visible_fraction(mask, results['source_positions'], results['causal_area'])
            < least
        )
    results['cropped_out'] = bool(cropped_out)
    if cropped_out:
        results['guided'] = False
        for key in ('activation_mask', 'mask_classes', 'ignore_mask'):
            results.pop(key, None)


def causal_pixels(results: dict) -> np.ndarray:
    """(H, W): not 0 where a sample's mask is causal for any class, and not ignored."""
    mask = results['activation_mask']
    if mask.ndim == 3:
        mask = mask.any(0)
    if 'ignore_mask' in results:
        mask = mask & (results['ignore_mask'] == 0)
    return mask


def source_positions(shape: tuple[int, int]) -> np.ndarray:
    """The row and column of each pixel, scaled to 1 to 255; padding will have 0.

    Args:
        shape: (H, W) of the source.

    Returns:
        (2, H, W) uint8.
    """
    down, right = (
        (1 + np.arange(size) * LEVELS // size).astype(np.uint8) for size in shape
    )
    return np.stack(np.broadcast_arrays(down[:, None], right))


def visible_fraction(mask: np.ndarray, positions: np.ndarray, area: float) -> float:
    """The visible part of an object's area, in [0, 1].

    The result is exact up to rounding for affine transforms (crops, zooms, flips,
    rotations, shears). Perspective and elastic transforms are approximated by an affine
    fit.

    Args:
        mask: (h, w), not 0 on the object, after the transforms.
        positions: (2, h, w), :func:`source_positions` moved as the mask was.
        area: The object's fraction of the source's pixels, > 0.
    """
    return min(1.0, np.count_nonzero(mask) * area_of_a_pixel(positions) / area)


def area_of_a_pixel(positions: np.ndarray) -> float:
    """The source area of one pixel as a fraction: determinant of the affine fit."""
    steps = [max(1, size // POINTS) for size in positions.shape[-2:]]
    sampled = positions[:, :: steps[0], :: steps[1]]
    rows, columns = np.nonzero(sampled[0])
    if len(rows) < 3:
        return 0.0
    here = np.stack([rows * steps[0], columns * steps[1], np.ones(len(rows))], axis=1)
    there = sampled[:, rows, columns].T / LEVELS
    fit = np.linalg.lstsq(here, there, rcond=None)[0]
    return abs(np.linalg.det(fit[:2]))
