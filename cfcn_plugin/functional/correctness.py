"""Which predictions are right."""

from torch import Tensor


def is_right(predicted: Tensor, target: Tensor) -> Tensor:
    """(B,) bool: whether each image is predicted as its label.

    Of several labels, exactly the true ones must be predicted: those whose logit is
    above 0.

    Args:
        predicted: (B, C) logits, or (B,) int64 predicted labels.
        target: (B,) int64 labels, or (B, C) in {0, 1} for several labels.

    Raises:
        ValueError: The shapes do not fit each other.
    """
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
