"""The fraction of an object that a draw still shows, however it is zoomed.

A crop is stretched to the model's size, so that counts of causal pixels before and
after do not compare. Here each pixel carries its position in the source, moved as the
mask is. The gradient of the positions gives the source's area under one pixel; times
the object's pixels, this is the object's visible area.
"""
import numpy as np

LEVELS = 255  # positions along a side; uint8 is what every transform can move
POINTS = 32  # a side of the grid on which positions are compared


def causal_pixels(results: dict) -> np.ndarray:
    """(H, W): not 0 where a sample's mask is causal, for whichever class, and known."""
    mask = results['activation_mask']
    if mask.ndim == 3:
        mask = mask.any(0)
    if 'ignore_mask' in results:
        mask = mask & (results['ignore_mask'] == 0)
    return mask


def source_positions(shape: tuple[int, int]) -> np.ndarray:
    """How far down and right each pixel is, from 1 to 255; padding will have 0.

    Args:
        shape: (H, W) of the source.

    Returns:
        (2, H, W) uint8.
    """
    down, right = (
        (1 + np.arange(size) * LEVELS // size).astype(np.uint8) for size in shape)
    return np.stack(np.broadcast_arrays(down[:, None], right))


def visible_fraction(mask: np.ndarray, positions: np.ndarray, area: float) -> float:
    """The visible part of an object's area, in [0, 1].

    Exact but for rounding where the image was moved affinely (crops, zooms, flips,
    rotations, shears); of a perspective or elastic transform, the nearest affine one
    counts.

    Args:
        mask: (h, w), not 0 on the object, as the draw shows it.
        positions: (2, h, w), :func:`source_positions` moved as the mask was.
        area: The object's fraction of the source's pixels, > 0.
    """
    return min(1.0, np.count_nonzero(mask) * area_of_a_pixel(positions) / area)


def area_of_a_pixel(positions: np.ndarray) -> float:
    """The fraction of the source under one pixel: the determinant of the affine fit."""
    steps = [max(1, size // POINTS) for size in positions.shape[-2:]]
    sampled = positions[:, ::steps[0], ::steps[1]]
    rows, columns = np.nonzero(sampled[0])
    if len(rows) < 3:
        return 0.0
    here = np.stack([rows * steps[0], columns * steps[1], np.ones(len(rows))], axis=1)
    there = sampled[:, rows, columns].T / LEVELS
    fit = np.linalg.lstsq(here, there, rcond=None)[0]
    return abs(np.linalg.det(fit[:2]))
