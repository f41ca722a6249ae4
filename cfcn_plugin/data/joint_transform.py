"""torchvision's transforms v2, applied to an image and the planes of its mask."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms as v1
from torchvision import tv_tensors
from torchvision.transforms import v2

from .moved_planes import BY_DRAW, PolicyMove


def _of_both(names: str) -> tuple[Any, ...]:
    """The transforms of these names, of v1 and of v2."""
    return tuple(getattr(module, one) for module in (v1, v2) for one in names.split())


# They move no pixel, so that the mask stays as it is
STILL = (
    *_of_both(
        'ColorJitter ConvertImageDtype GaussianBlur Grayscale Normalize PILToTensor '
        'RandomAdjustSharpness RandomAutocontrast RandomEqualize RandomErasing '
        'RandomGrayscale RandomInvert RandomPosterize RandomSolarize'
    ),
    v1.ToPILImage,
    v1.ToTensor,
    v2.GaussianNoise,
    v2.RandomPhotometricDistort,
    v2.ToImage,
    v2.ToPureTensor,
)
CONTAINERS = _of_both('Compose RandomApply RandomChoice RandomOrder')
POLICIES = (v2.AutoAugment, v2.RandAugment, v2.TrivialAugmentWide)
# Several images of one, or of several: no mask is that of the result
WITHOUT_MASKS = (v2.AugMix, v2.FiveCrop, v2.TenCrop, v2.MixUp, v2.CutMix)
WRITE_V2 = 'from torchvision.transforms import v2'


class JointTransform:
    """Applies a transform to an image and, with the same draw, to the image's masks.

    Masks move by torchvision's nearest neighbour, which is at most half a pixel aside
    after a resize, and are filled with context. Transforms of v1 that move no pixel are
    applied to the image alone.

    Args:
        transform: A transform of ``torchvision.transforms.v2``, usually a ``Compose``.
            None: images stay as they are.

    Raises:
        ValueError: A part of the transform moves, or may move, the image and not its
            mask. The message names the part, and what to write.
    """

    def __init__(self, transform: Callable | None):
        self.steps = [] if transform is None else list(_steps(transform))
        self.may_fill = transform is not None and _may_fill(transform)

    def __call__(
        self, image: Any, planes: np.ndarray | None
    ) -> tuple[Any, np.ndarray | None]:
        """Apply.

        Args:
            image: PIL image, tensor (C, H, W) or array (H, W, C).
            planes: (P, H, W) uint8 {0, 1}. None: there is no mask.

        Returns:
            The image, and the planes (P, h, w), 0 where the transform filled pixels.

        Raises:
            ValueError: A step changed the planes' values, or moved image and planes
                differently.
        """
        if planes is None:
            for _, alone, _ in self.steps:
                image = alone(image)
            return image, None
        if self.may_fill:  # what a step fills is in both, whatever its value
            planes = np.concatenate([planes, 1 - planes[:1]])
        for name, _, together in self.steps:
            image, planes = together(image, planes)
            _check_size(name, image, planes.shape[-2:])
        if self.may_fill:
            planes = planes[:-1] * (planes[0] != planes[-1])
        return image, planes


def image_size(image: Any) -> tuple[int, int]:
    """(H, W) of a PIL image, a tensor (C, H, W) or an array (H, W, C).

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(image, Image.Image):
        return image.size[::-1]
    if isinstance(image, Tensor) and image.ndim >= 2:
        height, width = image.shape[-2:]
        return height, width
    if isinstance(image, np.ndarray) and image.ndim in (2, 3):
        return image.shape[:2]
    raise TypeError(
        'expected a PIL image, a tensor (C, H, W) or an array (H, W, C), '
        f'got {type(image).__name__}'
    )


def _steps(transform: Any) -> Iterator[tuple[str, Callable, Callable]]:
    """Each step's name, the step for an image alone, and for an image and masks."""
    if type(transform) in (v1.Compose, v2.Compose):
        for one in transform.transforms:
            yield from _steps(one)
        return
    if isinstance(transform, POLICIES):
        together = PolicyMove(transform)
    elif _is_still(transform):
        together = partial(_still, transform)
    elif type(transform) in BY_DRAW:
        together = partial(BY_DRAW[type(transform)], transform)
    else:
        _check_moves_masks(transform)
        together = partial(_together, transform)
    yield _name(transform), transform, together


def _still(
    transform: Callable, image: Any, planes: np.ndarray
) -> tuple[Any, np.ndarray]:
    return transform(image), planes


def _together(
    transform: Callable, image: Any, planes: np.ndarray
) -> tuple[Any, np.ndarray]:
    """Image and planes by torchvision's own way to move masks."""
    image, masks = transform(image, tv_tensors.Mask(torch.from_numpy(planes)))
    if (
        not isinstance(masks, tv_tensors.Mask)
        or masks.dtype != torch.uint8
        or len(masks) != len(planes)
    ):
        raise ValueError(
            f'{_name(transform)} changed the values of the mask: let it '
            'leave tv_tensors.Mask as it is'
        )
    return image, np.asarray(masks.as_subclass(Tensor))


def _may_fill(transform: Any) -> bool:
    """Whether a transform may give a mask's pixels another value than 0 or 1."""
    if type(transform) in CONTAINERS:
        return any(map(_may_fill, transform.transforms))
    if isinstance(transform, POLICIES) or _is_still(transform):
        return False
    fill = getattr(transform, 'fill', 0)
    if isinstance(fill, dict):
        fill = fill.get(tv_tensors.Mask, fill.get('others', 0))
    own = not type(transform).__module__.startswith('torchvision.')
    return own or isinstance(transform, v2.Lambda) or fill not in (0, None)


def _is_still(transform: Callable) -> bool:
    if isinstance(transform, CONTAINERS):
        return all(map(_is_still, transform.transforms))
    if isinstance(transform, v2.ToDtype):  # by types it may change masks
        return isinstance(transform.dtype, torch.dtype)
    # transforms of v2 are no subclasses of those of v1
    return isinstance(transform, STILL)


def _check_moves_masks(transform: Callable) -> None:
    name = _name(transform)
    if isinstance(transform, WITHOUT_MASKS):
        raise ValueError(f'{name} takes no masks along: leave it out')
    if isinstance(transform, POLICIES):
        raise ValueError(
            f'{name} takes masks along only at the top: write it into the '
            'list of the outermost v2.Compose'
        )
    if isinstance(transform, v2.Lambda) and object in transform.types:
        raise ValueError(
            'v2.Lambda would call its function for masks too: name the types it is '
            'for, v2.Lambda(function, PIL.Image.Image, tv_tensors.Image), if it moves '
            'no pixel'
        )
    if not isinstance(transform, v2.Transform):
        same = type(transform).__name__
        if type(transform).__module__.startswith('torchvision.') and hasattr(v2, same):
            raise ValueError(
                f'{name} leaves masks behind: write v2.{same} '
                f'({WRITE_V2}), same arguments'
            )
        raise ValueError(
            f'{name} may move pixels, and a mask must move with its image: write '
            f'transforms of torchvision v2 ({WRITE_V2}), or a subclass of v2.Transform.'
            ' A function that moves no pixel can be '
            'v2.Lambda(function, PIL.Image.Image)'
        )
    if isinstance(transform, CONTAINERS):
        for one in transform.transforms:
            _check_moves_masks(one)
    fill = getattr(transform, 'fill', None)
    if isinstance(fill, list | tuple):
        raise ValueError(
            f'{name}(fill={fill!r}) would fill a mask with a colour: write '
            f"fill={{tv_tensors.Mask: 0, 'others': {fill!r}}}"
        )


def _check_size(name: str, image: Any, size: tuple) -> None:
    if size != image_size(image):
        raise ValueError(
            f'after {name} the image has height and width {image_size(image)}, its '
            f'mask {size}: let it move tv_tensors.Mask as images'
        )


def _name(transform: Callable) -> str:
    kind = type(transform)
    if not isinstance(transform, torch.nn.Module) and hasattr(transform, '__name__'):
        return f"the function '{transform.__name__}'"
    if kind.__module__.startswith('torchvision.transforms.v2'):
        return f'v2.{kind.__name__}'
    return f'{kind.__module__.partition(".")[0]} {kind.__name__}'
