"""Batches of images, targets and masks, checked."""

from typing import NamedTuple

import torch
from torch import Tensor

from cfcn_plugin.guidance import MaskBatch


class Batch(NamedTuple):
    """Images (B, C, H, W), targets (B,) or (B, C), objects (B, H, W) bool."""

    images: Tensor
    targets: Tensor
    objects: Tensor


def as_batch(batch) -> Batch:
    """A batch of images, targets and masks that fit each other.

    Args:
        batch: Three tensors; or two and a :class:`.MaskBatch`, as
            :func:`cfcn_plugin.collate` gives them.

    Raises:
        TypeError: The batch has not three tensors.
        ValueError: A shape or a value is wrong.
    """
    if isinstance(batch, (tuple, list)) and batch and isinstance(batch[-1], MaskBatch):
        *rest, masks = batch
        # what a mask leaves open goes with the object
        batch = (*rest, masks.objects & masks.guided.view(-1, 1, 1))
    if (
        not isinstance(batch, (tuple, list))
        or len(batch) != 3
        or not all(isinstance(one, Tensor) for one in batch)
    ):
        got = (
            [type(one).__name__ for one in batch]
            if isinstance(batch, (tuple, list))
            else type(batch).__name__
        )
        raise TypeError(
            f'expected batches of three tensors (images, targets, masks), got {got}'
        )
    images, targets, masks = batch
    if images.dim() != 4 or not images.is_floating_point():
        raise ValueError(
            'expected floating-point images (B, C, H, W) as the model '
            f'takes them, got {images.dtype} {tuple(images.shape)}'
        )
    if masks.dim() != 3 or masks.shape != images[:, 0].shape:
        raise ValueError(
            f'masks {tuple(masks.shape)} of images {tuple(images.shape)}: '
            'expected (B, H, W) of the same B, H and W'
        )
    if not (masks >= 0).all():
        raise ValueError(
            'masks must be 0 on the background and above 0 on the object, got values '
            'below 0 or NaN'
        )
    if targets.dim() not in (1, 2) or len(targets) != len(images):
        raise ValueError(
            f'targets {tuple(targets.shape)} of images '
            f'{tuple(images.shape)}: expected (B,), or (B, C) for several '
            'labels'
        )
    return Batch(images, targets, masks > 0)


def check_targets(targets: Tensor, classes: int) -> Tensor:
    """Targets (B,) int64 or (B, C) float, which are those of C classes.

    Raises:
        ValueError: They are not.
    """
    if targets.dim() == 2:
        if targets.shape[1] != classes:
            raise ValueError(
                f'targets of {targets.shape[1]} classes, but the model has {classes}'
            )
        if not ((targets == 0) | (targets == 1)).all():
            raise ValueError('targets (B, C) of several labels must be 0 or 1')
        return targets.float()
    if classes == 1:
        raise ValueError('the model has one logit: give targets (B, 1) in {0, 1}')
    if targets.is_floating_point() or targets.dtype == torch.bool:
        raise ValueError(f'targets (B,) must be class numbers, got {targets.dtype}')
    if len(targets) and (targets.min() < 0 or targets.max() >= classes):
        raise ValueError(
            f'targets from {targets.min()} to {targets.max()}, but the '
            f'model has {classes} classes'
        )
    return targets.long()
