"""Which predictions are right."""

import torch
import torch.nn.functional as F
from torch import Tensor


def is_right(predicted: Tensor, target: Tensor) -> Tensor:
    """(B,) bool: whether each image is predicted as its label.

    Of several labels, exactly the true ones must be predicted: those whose logit is
    above 0.

    Args:
        predicted: (B, C) logits, or (B,) int64 predicted labels.
        target: (B,) int64 labels, or (B, C) in {0, 1} for several labels.

    Raises:
        ValueError: The shapes do not fit each other, or a logit is NaN.
    """
    if predicted.isnan().any():
        raise ValueError(
            'logits are NaN, which no image is right by: the images or the weights of '
            'the model are damaged'
        )
    if target.dim() == 2 and predicted.shape == target.shape:
        return ((predicted > 0) == (target > 0)).all(1)
    if (
        target.dim() == 1
        and predicted.dim() in (1, 2)
        and len(predicted) == len(target)
    ):
        labels = predicted.argmax(1) if predicted.dim() == 2 else predicted
        return labels == target
    raise ValueError(
        f'predictions {tuple(predicted.shape)} of labels {tuple(target.shape)}: '
        'expected logits (B, C) or labels (B,), and labels (B,), or (B, C) in {0, 1} '
        'for several labels'
    )


def label_rows(target: Tensor, classes: int | None = None) -> Tensor:
    """(B, C) in {0, 1}: which labels each image has.

    Args:
        target: (B,) whole numbers, or (B, C) in {0, 1} for several labels.
        classes: C. None: as many as the largest label needs.

    Raises:
        ValueError: They are no labels, or not those of C classes.
    """
    if target.dim() == 2:
        fits = classes in (None, target.shape[1])
        if fits and ((target == 0) | (target == 1)).all():
            return target
    elif target.dim() == 1 and not (
        target.is_floating_point() or target.dtype == torch.bool
    ):
        last = target.max() if len(target) else 0
        if (target >= 0).all() and (classes is None or last < classes):
            return F.one_hot(target.long(), classes or -1)
    end = 'C - 1' if classes is None else classes - 1
    raise ValueError(
        f'`target` must be labels (B,), whole numbers from 0 to {end}, or (B, '
        f'{classes or "C"}) in {{0, 1}} for several labels, got {tuple(target.shape)} '
        f'{target.dtype}'
        + (f' from {target.min()} to {target.max()}' if target.numel() else '')
    )
