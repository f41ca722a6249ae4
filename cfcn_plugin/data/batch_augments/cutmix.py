"""CutMix and ResizeMix, which paste a box, with masks."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cfcn_plugin.guidance.mask_batch import MaskBatch

from .mixing import as_scores, mix_labels


def cutmix(
    images: Tensor,
    scores: Tensor,
    masks: MaskBatch,
    alpha: float,
    cutmix_minmax: tuple[float, float] | None = None,
    correct_lam: bool = True,
    num_classes: int | None = None,
) -> tuple[Tensor, Tensor, MaskBatch]:
    """Paste a box of another image of the batch, at its place, on each image.

    CutMix is by Yun et al., 2019; images, scores and random numbers (numpy's and
    torch's global ones) are those of mmpretrain's ``CutMix``.

    Args:
        images: (B, C, H, W); changed in place.
        scores: (B, K), one-hot or soft; or labels (B,), with ``num_classes``.
        masks: Of the images.
        alpha: Of the Beta distribution of the mixing ratio, > 0.
        cutmix_minmax: Least and largest side of the box, in [0, 1] of the image's,
            drawn uniformly. None: the box has the area that the mixing ratio says.
        correct_lam: Weigh the labels by the area that the box has inside the image.
        num_classes: K, for labels.

    Returns:
        The three, mixed; masks as :func:`.mixing.mix_labels` says.
    """
    scores = as_scores(scores, num_classes)
    ratio = np.random.beta(alpha, alpha)
    return paste_box(images, scores, masks, ratio, cutmix_minmax, correct_lam)


def resizemix(
    images: Tensor,
    scores: Tensor,
    masks: MaskBatch,
    alpha: float,
    lam_min: float = 0.1,
    lam_max: float = 0.8,
    interpolation: str = 'bilinear',
    cutmix_minmax: tuple[float, float] | None = None,
    correct_lam: bool = True,
    num_classes: int | None = None,
) -> tuple[Tensor, Tensor, MaskBatch]:
    """Paste the whole of another image of the batch, made small, on each image.

    ResizeMix is by Qin et al., 2020; images, scores and random numbers (numpy's and
    torch's global ones) are those of mmpretrain's ``ResizeMix``.

    Args:
        images: (B, C, H, W) floating point; changed in place.
        scores, masks, alpha, cutmix_minmax, correct_lam, num_classes: As in
            :func:`cutmix`.
        lam_min, lam_max: Least and largest mixing ratio, in [0, 1].
        interpolation: Of ``torch.nn.functional.interpolate``, ``'bilinear'`` or
            ``'bicubic'``; of images and masks.

    Returns:
        The three, mixed; masks as :func:`.mixing.mix_labels` says.
    """
    scores = as_scores(scores, num_classes)
    ratio = np.random.beta(alpha, alpha) * (lam_max - lam_min) + lam_min
    return paste_box(
        images, scores, masks, ratio, cutmix_minmax, correct_lam, interpolation
    )


def paste_box(
    images: Tensor,
    scores: Tensor,
    masks: MaskBatch,
    ratio: float,
    cutmix_minmax: tuple[float, float] | None,
    correct_lam: bool,
    interpolation: str | None = None,
) -> tuple[Tensor, Tensor, MaskBatch]:
    """:func:`cutmix` at a mixing ratio in [0, 1].

    Args:
        interpolation: None: the box of the other image that is at the same place. Else
            the whole of the other image, resized to the box.
    """
    other = torch.randperm(len(images))
    (rows, columns), weight = draw_box(
        images.shape[-2:], ratio, cutmix_minmax, correct_lam
    )

    def place(planes: Tensor) -> Tensor:
        box = planes[:, :, rows, columns]
        placed = torch.zeros_like(planes)
        placed[:, :, rows, columns] = (
            box
            if interpolation is None
            else F.interpolate(
                planes, box.shape[-2:], mode=interpolation, align_corners=False
            )
        )
        return placed

    images[:, :, rows, columns] = place(images[other])[:, :, rows, columns]
    own = torch.ones(images.shape[-2:], device=images.device)
    own[rows, columns] = 0
    return images, *mix_labels(scores.float(), masks, other, own, weight, place)


def draw_box(
    size: Sequence[int],
    ratio: float,
    cutmix_minmax: tuple[float, float] | None,
    correct_lam: bool,
) -> tuple[tuple[slice, slice], float]:
    """Rows and columns of a box in (H, W), and the fraction of the label that stays."""
    height, width = size
    if cutmix_minmax is None:
        side = np.sqrt(1 - ratio)
        reach = int(height * side) // 2, int(width * side) // 2
        middle = np.random.randint(0, height), np.random.randint(0, width)
        top, left = (max(m - r, 0) for m, r in zip(middle, reach))
        bottom, right = (min(m + r, s) for m, r, s in zip(middle, reach, size))
    else:
        least, most = cutmix_minmax
        tall, wide = (np.random.randint(int(s * least), int(s * most)) for s in size)
        top = np.random.randint(0, height - tall)
        left = np.random.randint(0, width - wide)
        bottom, right = top + tall, left + wide
    if correct_lam or cutmix_minmax is not None:
        ratio = 1.0 - (bottom - top) * (right - left) / float(height * width)
    return (slice(top, bottom), slice(left, right)), ratio
