"""Checks of what a training loop hands to a guide."""

import torch
from torch import Tensor

from .mask_batch import MaskBatch


def checked_target(target: Tensor, logits: Tensor) -> Tensor:
    """The target of a step, as floating point if it has a score a class.

    Args:
        target: (B,) int64 labels, or (B, C) scores or one-hot labels.
        logits: (B, C).

    Raises:
        TypeError: The target is no tensor.
        ValueError: Its shape or its type is another.
    """
    count, classes = logits.shape
    if not isinstance(target, Tensor):
        raise TypeError(
            f'`target` must be a tensor of labels, got {type(target).__name__}'
        )
    if tuple(target.shape) == (count, classes):
        return target if target.is_floating_point() else target.to(logits.dtype)
    if target.shape != (count,) or target.is_floating_point():
        raise ValueError(
            f'`target` must be labels ({count},) int64, or scores ({count}, {classes}),'
            f' got {tuple(target.shape)} {target.dtype}'
        )
    return target


def check_masks(masks: MaskBatch, images: Tensor) -> None:
    """Check that masks are those of images (B, 3, H, W).

    Raises:
        TypeError: The masks are no :class:`MaskBatch` of tensors.
        ValueError: Their shape or their device is another than that of the images, or
            ``guided`` is not bool.
    """
    if not isinstance(masks, MaskBatch):
        raise TypeError(
            f'`masks` must be a MaskBatch, got {type(masks).__name__}: give the '
            'DataLoader collate_fn=cfcn_plugin.collate, or write '
            'MaskBatch(mask, ignore, guided)'
        )
    for name in ('mask', 'guided'):
        if not isinstance(getattr(masks, name), Tensor):
            raise TypeError(
                f'`masks.{name}` must be a tensor, got '
                f'{type(getattr(masks, name)).__name__}'
            )
    count, size = len(images), tuple(images.shape[-2:])
    if masks.mask.dim() != 4 or len(masks.mask) != count:
        raise ValueError(
            f'`masks.mask` must have shape ({count}, K, H, W), with K = 1 for one mask '
            f'an image, got {tuple(masks.mask.shape)}'
        )
    if tuple(masks.mask.shape[-2:]) != size:
        raise ValueError(
            f'`masks.mask` has height and width {tuple(masks.mask.shape[-2:])}, its '
            f'images {size}: resize or crop masks as their images (MaskedDataset does)'
        )
    if masks.guided.dtype != torch.bool or masks.guided.shape != (count,):
        raise ValueError(
            f'`masks.guided` must be ({count},) bool, got '
            f'{tuple(masks.guided.shape)} {masks.guided.dtype}'
        )
    if masks.mask.device != images.device:
        raise ValueError(
            f'`masks` are on {masks.mask.device}, images on {images.device}: write '
            'masks = masks.to(images.device, non_blocking=True)'
        )
