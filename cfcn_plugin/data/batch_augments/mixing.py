"""Mixup, and labels and masks of images that were mixed in pairs."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cfcn_plugin.guidance.mask_batch import MaskBatch, MixComponent

LEAST = 1e-3  # an image with less of a pixel does not count as lying there


def mixup(
    images: Tensor,
    scores: Tensor,
    masks: MaskBatch,
    alpha: float,
    num_classes: int | None = None,
) -> tuple[Tensor, Tensor, MaskBatch]:
    """Blend each image with another one of the batch (Zhang et al., 2018).

    Images, scores and random numbers (numpy's and torch's global ones) are those of
    mmpretrain's ``Mixup``.

    Args:
        images: (B, C, H, W) floating point.
        scores: (B, K), one-hot or soft; or labels (B,), with ``num_classes``.
        masks: Of the images.
        alpha: Of the Beta distribution of the mixing ratio, > 0.
        num_classes: K, for labels.

    Returns:
        The three, mixed; masks as :func:`mix_labels` says.
    """
    scores = as_scores(scores, num_classes)
    own = np.random.beta(alpha, alpha)
    other = torch.randperm(len(images))
    mixed = own * images + (1 - own) * images[other, :]
    return mixed, *mix_labels(scores.float(), masks, other, own, own)


def as_scores(labels: Tensor, num_classes: int | None) -> Tensor:
    """(B, K): scores as they are, labels (B,) as one-hot scores.

    Raises:
        ValueError: There are labels and no ``num_classes``.
    """
    if labels.dim() > 1:
        return labels
    if num_classes is None:
        raise ValueError(
            'mixed labels are scores (B, K), got labels (B,): give `num_classes`'
        )
    return F.one_hot(labels, num_classes)


def mix_labels(
    scores: Tensor,
    masks: MaskBatch,
    other: Tensor,
    own: float | Tensor,
    weight: float,
    place: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, MaskBatch]:
    """Mix labels and masks as their images were mixed.

    A mixed image is x'_i = W x_i + (1 - W) place(x_p(i)), of an image and another one,
    which ``place`` moves where the augment moves it. The label is
    w y_i + (1 - w) y_p(i).

    A component is one of the two images in the mixture. A component's own mask is the
    image's mask, placed, where the component lies in the mixture, and 0 elsewhere; what
    lies there is not the cause of its label. Two components with the same label are the
    same cause: each one's mask is then the union of both. An image that is mixed with
    itself has one component.

    The image's one mask, for maps that know no labels, is W m_i + (1 - W) place(m_p):
    Eq. 1 is linear in the mask, so its loss is then the mixture of the components'
    losses, as the mixed label's cross entropy is of the labels'. What is known of
    neither cause nor context, and unguided components, is left out by ``ignore``, in
    the fraction that it has.

    Args:
        scores: (B, C) float, of the images before they are mixed.
        masks: Of the images before they are mixed.
        other: (B,) int64, p(i): the image that each image is mixed with.
        own: W in [0, 1], a number or (H, W): what stays its own of a pixel.
        weight: w in [0, 1], the fraction of the label that stays its own.
        place: Moves planes (B, K, H, W) float of the other images. None: they stay.

    Returns:
        Scores (B, C), and masks with two :class:`MixComponent` s, the image's own and
        the other image's.
    """
    mixed_scores = weight * scores + (1 - weight) * scores[other, :]
    other = other.to(scores.device, non_blocking=True)
    alone = other == torch.arange(len(other), device=scores.device)
    planes = torch.cat([masks.mask.float(), masks.known[:, None]], dim=1)
    placed = planes[other] if place is None else place(planes[other])
    mixed = own * planes + (1 - own) * placed
    ours, theirs, known = planes[:, :-1], placed[:, :-1], mixed[:, -1:]
    joint = own * ours.amax(1, keepdim=True) + (1 - own) * theirs.amax(1, keepdim=True)

    single = alone.view(-1, 1, 1, 1)
    ours = torch.where(single, mixed[:, :-1], ours * (own >= LEAST)).clamp(0, 1)
    theirs = (theirs * ~single * (1 - own >= LEAST)).clamp(0, 1)
    other = torch.where(alone, 0, other)  # any will do: its weight is 0
    same = _same_label(masks.classes, scores, other).to(ours.dtype)
    # no class has two planes, so that a sum is a choice
    from_them = torch.einsum('bkl,blhw->bkhw', same, theirs)
    from_us = torch.einsum('bkl,bkhw->blhw', same, ours)
    components = (
        MixComponent(
            torch.maximum(ours, from_them),
            scores,
            masks.classes,
            torch.where(alone, 1.0, weight) * masks.guided,
        ),
        MixComponent(
            torch.maximum(theirs, from_us),
            scores[other],
            None if masks.classes is None else masks.classes[other],
            torch.where(alone, 0.0, 1 - weight) * masks.guided[other],
        ),
    )
    return mixed_scores, replace(
        masks,
        # the fraction of what is known; where nothing is, it does not matter
        mask=(joint / known.clamp(min=1e-6)).clamp(0, 1),
        ignore=1 - known[:, 0].clamp(0, 1),
        guided=(components[0].weight > 0) | (components[1].weight > 0),
        classes=None,
        components=components,
    )


def _same_label(classes: Tensor | None, scores: Tensor, other: Tensor) -> Tensor:
    """(B, K, K) bool: whether two planes of the two components show the same label."""
    if classes is None:
        return (scores == scores[other]).all(1)[:, None, None]
    ours, theirs = classes[:, :, None], classes[other][:, None, :]
    return (ours == theirs) & (ours >= 0)
