"""Moving the planes of masks by what torchvision's transforms v2 drew for an image.

Planes are uint8, (P, H, W). They move as torchvision moves ``tv_tensors.Mask``, to the
pixel, and are filled with 0.
"""
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import torch
from torchvision.transforms import InterpolationMode, v2

GEOMETRIC_OPS = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')
NEAR_HALF = 1e-3  # pixels; torchvision's rounding of a shift decides


def crop(transform: v2.RandomResizedCrop, image: Any, planes: np.ndarray
         ) -> tuple[Any, np.ndarray]:
    """Image and planes by one draw, as ``transform(image)`` draws."""
    drawn = transform.make_params([image])
    rows, columns = (slice(drawn[start], drawn[start] + drawn[length])
                     for start, length in (('top', 'height'), ('left', 'width')))
    indices = [nearest(drawn[length], new) for length, new in zip(
        ('height', 'width'), transform.size)]
    return transform.transform(image, drawn), each(
        planes, lambda plane: gather(plane[rows, columns], *indices))


def flip(transform: v2.RandomHorizontalFlip | v2.RandomVerticalFlip, image: Any,
         planes: np.ndarray) -> tuple[Any, np.ndarray]:
    """Image and planes by one draw, as ``transform(image)`` draws."""
    if torch.rand(1) >= transform.p:
        return image, planes
    code = int(isinstance(transform, v2.RandomHorizontalFlip))
    return transform.transform(image, {}), each(
        planes, lambda plane: cv2.flip(plane, code))


# The most frequent transforms, for planes without torchvision's masks
BY_DRAW = {v2.RandomResizedCrop: crop, v2.RandomHorizontalFlip: flip,
           v2.RandomVerticalFlip: flip}


def each(planes: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The planes, each moved."""
    moved = [move(plane) for plane in planes]
    return moved[0][None] if len(moved) == 1 else np.stack(moved)


def gather(plane: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """As ``plane[rows][:, columns]``; rows are gathered faster than columns."""
    return cv2.transpose(cv2.transpose(plane[rows])[columns])


@lru_cache(maxsize=2**12)
def nearest(size: int, new: int) -> np.ndarray:
    """The pixel that torch's nearest neighbour takes for each of ``new`` pixels."""
    scale = np.float32(size) / np.float32(new)
    places = np.arange(new, dtype=np.float32) * scale
    return np.minimum(places.astype(np.intp), size - 1)


class PolicyMove:
    """A policy of torchvision v2, which refuses masks, with its geometric operations
    applied to planes too.

    Args:
        policy: AutoAugment, RandAugment or TrivialAugmentWide.
    """

    def __init__(self, policy: v2.Transform):
        self.policy = policy

    def __call__(self, image: Any, planes: np.ndarray) -> tuple[Any, np.ndarray]:
        # as copy.copy, in a fifth of the time
        drawn, policy = [], object.__new__(type(self.policy))
        vars(policy).update(vars(self.policy))

        def apply(image, name: str, magnitude: float, *args, **kwargs):
            drawn.append((name, magnitude))
            return self.policy._apply_image_or_video_transform(
                image, name, magnitude, *args, **kwargs)

        policy._apply_image_or_video_transform = apply
        image = policy(image)
        for name, magnitude in drawn:
            if name in GEOMETRIC_OPS:
                planes = self._move(planes, name, magnitude)
        return image, planes

    def _move(self, planes: np.ndarray, name: str, magnitude: float) -> np.ndarray:
        shifts = line_shifts(name, magnitude, planes.shape[-2:])
        if shifts is not None:
            along = 1 if name.endswith('X') else 0
            return each(planes, lambda plane: shift_lines(plane, shifts, along))
        # without a fill value, torchvision's grid fills with 0, and makes no second one
        return self.policy._apply_image_or_video_transform(
            torch.from_numpy(planes), name, magnitude, fill={'others': None},
            interpolation=InterpolationMode.NEAREST).numpy()


def line_shifts(name: str, magnitude: float, size: tuple[int, ...]
                ) -> np.ndarray | None:
    """By how many pixels an operation shifts each row (``...X``) or column (``...Y``).

    None if it moves pixels otherwise, or a shift is so near to half a pixel that
    float32 decides it.
    """
    lines = size[0] if name.endswith('X') else size[1]
    if name.startswith('Translate'):
        return np.full(lines, int(magnitude))
    if not name.startswith('Shear'):
        return None
    exact = -magnitude * (np.arange(lines) + 0.5)
    whole = np.rint(exact)
    if (np.abs(exact - whole) > 0.5 - NEAR_HALF).any():
        return None
    return whole.astype(int)


def shift_lines(plane: np.ndarray, shifts: np.ndarray, along: int) -> np.ndarray:
    """Rows shifted to the right, or with ``along=0`` columns shifted down."""
    if along == 0:
        return cv2.transpose(shift_lines(cv2.transpose(plane), shifts, 1))
    moved, width = np.zeros_like(plane), plane.shape[1]
    ends = np.flatnonzero(np.diff(shifts)) + 1
    for start, stop in pairwise([0, *ends.tolist(), len(shifts)]):
        shift = int(np.clip(shifts[start], -width, width))
        moved[start:stop, max(shift, 0):width + min(shift, 0)] = (
            plane[start:stop, max(-shift, 0):width - max(shift, 0)])
    return moved
