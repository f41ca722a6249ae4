"""An object on another image's context: for training, and for tests of focus."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from cfcn_plugin.options import check_choice, check_number

CELLS = (8, 4, 2, 1)  # grids whose cells tell what is around a hole
COARSER = 0.01  # how much less the next coarser grid counts
HOLES = ('mask', 'box')


def swap_background(
    images: Tensor,
    objects: Tensor,
    backgrounds: Tensor,
    their_objects: Tensor,
    border: float = 2.0,
) -> Tensor:
    """Paste each image's object on another image's context.

    The object is cut out along its mask, blurred by a Gaussian of ``border`` pixels;
    the other image's own object is filled by :func:`without_object`.

    Args:
        images: (B, C, H, W) floating point.
        objects: (B, H, W) bool, True on the object.
        backgrounds: (B, C, H, W), the images that give their context.
        their_objects: (B, H, W) bool, what of them is not context.
        border: Standard deviation of the blurred edge, pixels, >= 0; 0 is a sharp one.

    Returns:
        (B, C, H, W).
    """
    inside = soften(objects, border).to(images.dtype)
    return torch.lerp(
        without_object(backgrounds, their_objects, border), images, inside
    )


def swap_within_batch(
    images: Tensor,
    objects: Tensor,
    guided: Tensor,
    order: Tensor,
    border: float = 2.0,
    hole: str = 'mask',
) -> tuple[Tensor, Tensor]:
    """Paste each guided image's object on the context of another guided image.

    Args:
        images: (B, C, H, W) floating point.
        objects: (B, H, W) bool, True on the object.
        guided: (B,) bool.
        order: (B,) random numbers in [0, 1), which choose the other images.
        border: As in :func:`swap_background`.
        hole: What is filled in the other image, as in :func:`hole_of`.

    Returns:
        (B, C, H, W), and (B,) bool, which images have another context: the guided ones
        with an object and a context, if there are at least two. The other images are as
        they were.
    """
    guided = guided & has_object_and_context(objects)
    other = pick_other_guided(guided, order)
    own = torch.arange(len(images), device=images.device)
    is_swapped = guided & (other != own)
    swapped = swap_background(
        images, objects, images[other], hole_of(objects, hole)[other], border
    )
    return torch.where(is_swapped.view(-1, 1, 1, 1), swapped, images), is_swapped


def has_object_and_context(objects: Tensor) -> Tensor:
    """(B,) bool: whether a mask (B, H, W) bool is not empty and leaves a part."""
    pixels = objects.flatten(1)
    return pixels.any(1) & ~pixels.all(1)


def pick_other_guided(guided: Tensor, order: Tensor) -> Tensor:
    """(B,) int64: for each guided image the next guided one in a random order.

    A single guided image has itself. Values of unguided images have no meaning.

    Args:
        guided: (B,) bool.
        order: (B,) random numbers in [0, 1).
    """
    ranked = torch.where(guided, order, 1).argsort()  # the guided ones first
    rank = ranked.argsort()
    count = guided.sum().clamp(min=1)
    return ranked[(rank + 1) % count]


def hole_of(objects: Tensor, hole: str) -> Tensor:
    """What is filled where an object is removed, (B, H, W) bool.

    Args:
        objects: (B, H, W) bool.
        hole: ``'mask'``, the object; or ``'box'``, the box around the object, for
            outlines that may lack a part of the object.
    """
    check_choice('hole', hole, HOLES)
    return bounding_box(objects) if hole == 'box' else objects


def without_object(images: Tensor, objects: Tensor, border: float = 2.0) -> Tensor:
    """Fill objects with the smooth colour of what is around them.

    The fill is the mean of the context in the cells of an 8 x 8 grid, interpolated;
    where a cell holds next to none, the next coarser grid's, at last the image's
    mean. It shows no shape but the outline's, which fades over the border.

    Args:
        images: (B, C, H, W) floating point.
        objects: (B, H, W) bool.
        border: As in :func:`swap_background`.

    Returns:
        (B, C, H, W): the images where there is no object.
    """
    # whole on the object, fading outside
    hole = (2 * soften(objects, border)).clamp(max=1).maximum(objects[:, None].float())
    # not 0: of an image that is object all over, the mean is left
    context = 1 - hole + 1e-9
    known = torch.cat([images * context, context], dim=1)
    total = sum(
        _enlarged(COARSER**step * F.adaptive_avg_pool2d(known, cells), known)
        for step, cells in enumerate(CELLS)
    )
    fill = total[:, :-1] / total[:, -1:]  # type: ignore[index]
    return torch.lerp(images, fill.to(images.dtype), hole.to(images.dtype))


def _enlarged(coarse: Tensor, like: Tensor) -> Tensor:
    """Bilinear interpolation by two products, on a CPU faster than ``interpolate``."""

    def weights(size: int) -> Tensor:  # (size, cells)
        cells = torch.eye(coarse.shape[-1], dtype=like.dtype, device=like.device)
        return F.interpolate(cells[None], size=size, mode='linear')[0].T

    height, width = like.shape[-2:]
    with torch.autocast(like.device.type, enabled=False):  # what is next to 0 counts
        return weights(height) @ coarse @ weights(width).T


def bounding_box(objects: Tensor) -> Tensor:
    """The smallest upright box around each object.

    Args:
        objects: (B, H, W) bool.

    Returns:
        (B, H, W) bool; False everywhere for an image without an object.
    """

    def fill(line: Tensor) -> Tensor:  # from the first True to the last
        counts = line.int()
        return (counts.cumsum(1) > 0) & (counts.flip(1).cumsum(1).flip(1) > 0)

    return fill(objects.any(2))[:, :, None] & fill(objects.any(1))[:, None]


def soften(objects: Tensor, border: float) -> Tensor:
    """(B, H, W) bool to (B, 1, H, W) in [0, 1], one half along the outline."""
    check_number('border', border, least=0)
    soft = objects[:, None].float()
    if border == 0:
        return soft
    reach = min(math.ceil(3 * border), min(soft.shape[-2:]) - 1)
    steps = torch.linspace(-reach, reach, 2 * reach + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (steps / border).pow(2))
    weights = (weights / weights.sum()).tolist()
    soft = F.pad(soft, [reach] * 4, mode='reflect')
    for dim in (2, 3):  # on a CPU sums of shifted images are faster than a convolution
        size = soft.shape[dim] - 2 * reach
        soft = sum(
            weight * soft.narrow(dim, shift, size)
            for shift, weight in enumerate(weights)
        )
    return soft
