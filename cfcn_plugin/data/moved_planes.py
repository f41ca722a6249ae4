"""Moving the planes of masks by what torchvision's transforms v2 drew for an image.

Planes are uint8, (P, H, W). They move as torchvision moves ``tv_tensors.Mask``, to the
pixel, and are filled with 0.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
from torchvision.transforms import InterpolationMode, v2

GEOMETRIC_OPS = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')
NEAR_HALF = 1e-3  # pixels; OpenCV rounds shifts to 1 / 1024, torch in float32


def crop(
    transform: v2.RandomResizedCrop, image: Any, planes: np.ndarray
) -> tuple[Any, np.ndarray]:
    """Image and planes by one draw, as ``transform(image)`` draws."""
    drawn = transform.make_params([image])
    rows, columns = (
        slice(drawn[start], drawn[start] + drawn[length])
        for start, length in (('top', 'height'), ('left', 'width'))
    )
    indices = [
        nearest(drawn[length], new)
        for length, new in zip(('height', 'width'), transform.size)
    ]
    return transform.transform(image, drawn), each(
        planes, lambda plane: gather(plane[rows, columns], *indices)
    )


def flip(
    transform: v2.RandomHorizontalFlip | v2.RandomVerticalFlip,
    image: Any,
    planes: np.ndarray,
) -> tuple[Any, np.ndarray]:
    """Image and planes by one draw, as ``transform(image)`` draws."""
    if torch.rand(1) >= transform.p:
        return image, planes
    code = int(isinstance(transform, v2.RandomHorizontalFlip))
    return transform.transform(image, {}), each(
        planes, lambda plane: cv2.flip(plane, code)
    )


# The most frequent transforms, for planes without torchvision's masks
BY_DRAW = {
    v2.RandomResizedCrop: crop,
    v2.RandomHorizontalFlip: flip,
    v2.RandomVerticalFlip: flip,
}


def each(planes: np.ndarray, move: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The planes, each moved."""
    moved = [move(plane) for plane in planes]
    return moved[0][None] if len(moved) == 1 else np.stack(moved)


def gather(plane: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """As ``plane[rows][:, columns]``; rows are gathered faster than columns."""
    return cv2.transpose(cv2.transpose(plane.take(rows, 0)).take(columns, 0))


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
                image, name, magnitude, *args, **kwargs
            )

        vars(policy)['_apply_image_or_video_transform'] = apply
        image = policy(image)
        for name, magnitude in drawn:
            if name in GEOMETRIC_OPS:
                planes = self._move(planes, name, magnitude)
        return image, planes

    def _move(self, planes: np.ndarray, name: str, magnitude: float) -> np.ndarray:
        height, width = planes.shape[1:]
        matrix = shift_matrix(name, magnitude, width if name[-1] == 'Y' else height)
        if matrix is not None:
            return each(
                planes,
                lambda plane: cv2.warpAffine(
                    plane,
                    matrix,
                    (width, height),
                    flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
                ),
            )
        # without a fill value, torchvision's grid fills with 0, and makes no second one
        return self.policy._apply_image_or_video_transform(
            torch.from_numpy(planes),
            name,
            magnitude,
            fill={'others': None},
            interpolation=InterpolationMode.NEAREST,
        ).numpy()


def shift_matrix(name: str, magnitude: float, lines: int) -> np.ndarray | None:
    """OpenCV's inverse matrix of an operation that shifts rows or columns.

    Args:
        name: The operation; ``...X`` shifts rows, ``...Y`` columns.
        magnitude: Its magnitude: pixels, or pixels a line.
        lines: The number of rows or columns.

    Returns:
        (2, 3). None if the operation is another, or a shift is so near to half a pixel
        that the rounding of torchvision's float32 decides.
    """
    row = 1 if name[-1] == 'Y' else 0
    matrix = np.eye(2, 3)
    if name.startswith('Translate'):
        matrix[row, 2] = -int(magnitude)
        return matrix
    shifts = magnitude * (np.arange(lines) + 0.5)
    if not name.startswith('Shear') or (
        np.abs(shifts - np.rint(shifts)).max() > 0.5 - NEAR_HALF
    ):
        return None
    matrix[row, 1 - row], matrix[row, 2] = magnitude, magnitude / 2
    return matrix
