"""Scaling the mask of a copy of an image, of other size and equal proportions."""

from dataclasses import replace

import cv2
import numpy as np

from .base import MaskRecord, MaskSource
from .errors import MaskSizeError, at

MOST_PIXELS = 2**27  # a file may claim any size


def is_scaled(size: tuple[int, ...], shape: tuple[int, int]) -> bool:
    """Whether an image of (H, W) ``size`` may be a copy of one of ``shape``.

    The proportions must agree up to one pixel of the smaller of both.
    """
    if len(size) != 2 or not 0 < size[0] * size[1] <= MOST_PIXELS:
        return False
    small, large = sorted((tuple(size), tuple(shape)))
    scale = min(one / other for one, other in zip(small, large))
    return all(abs(one - other * scale) <= 1 for one, other in zip(small, large))


def read_scaled(source: MaskSource, results: dict) -> MaskRecord | None:
    """The mask of a source, scaled by nearest neighbours to ``ori_shape``.

    A mask of other proportions is as the source gives it, or raises its error.

    Args:
        source: The source.
        results: A sample's dict, as the source takes it.
    """
    shape = tuple(results['ori_shape'])
    try:
        record = source(results)
    except MaskSizeError as error:
        if not is_scaled(error.size, shape):
            raise
        record = source({**results, 'ori_shape': error.size})
    size = shape if record is None else record.mask.shape[-2:]
    if size == shape or not is_scaled(size, shape):
        return record
    with at(f"'{record.file}'"):
        record.check()
    return replace(
        record,
        mask=_scale(record.mask, shape),
        ignore=(None if record.ignore is None else _scale(record.ignore, shape)),
    )


def _scale(planes: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    flat = planes.reshape(-1, *planes.shape[-2:]).astype(np.uint8)
    scaled = [
        cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        for plane in flat
    ]
    return np.array(scaled, np.uint8).reshape(*planes.shape[:-2], *shape)
