"""Accuracy on other backgrounds, to choose a checkpoint by without group labels."""

from collections.abc import Callable, Iterable, Sequence
from statistics import harmonic_mean
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cfcn_plugin.features.explanations import temporary_evaluation
from cfcn_plugin.functional.correctness import is_right, label_rows
from cfcn_plugin.functional.other_images import choose_others
from cfcn_plugin.options import check_number, check_whole

from .batches import check_targets
from .guided_images import guided_images
from .linear_head import as_logits
from .logistic import balanced_weights


class SwapAccuracy(NamedTuple):
    """Accuracies in [0, 1] on the same images; each class counts equally.

    Attributes:
        harmonic: The harmonic mean of ``original`` and ``swapped``.
        original: On the images as they are.
        swapped: On the background of an image of another class.
        images: Number of images.
        left_out: Number of images with a mask that were not taken: the mask covers the
            image, or no image of another class in the batch has a mask.
    """

    harmonic: float
    original: float
    swapped: float
    images: int
    left_out: int


def swap_accuracy(
    model: nn.Module,
    batches: Iterable[Sequence[Tensor]],
    border: float = 1.0,
    seed: int = 0,
    forward: Callable[[Tensor], Tensor] | None = None,
) -> SwapAccuracy:
    """Accuracy as it is and on backgrounds of another class; the model is unchanged.

    Args:
        model: A classifier.
        batches: Read once, as in :func:`cfcn_plugin.repair.repair`. Backgrounds come
            from the batch: shuffle the images once, with a fixed seed, so that each
            batch has several classes and each checkpoint gets the same batches.
        border: Standard deviation of the object's blurred edge, pixels, >= 0.
        seed: Of the choice of backgrounds.
        forward: From images to logits (B, C). None: ``model``, whose output may have
            the logits as its attribute ``logits``.

    Raises:
        TypeError: The model gives no logits.
        ValueError: No image has a mask, all images of a batch are of one class, targets
            are not those of the model, or its logits are NaN.
    """
    check_number('border', border, least=0)
    check_whole('seed', seed)
    generator = torch.Generator().manual_seed(seed)
    forward = forward or model
    device = next((p.device for p in model.parameters()), torch.device('cpu'))
    parts, left_out = [], 0
    with temporary_evaluation(model), torch.no_grad():
        for batch in guided_images(batches, device):
            left_out += batch.covered
            if not len(batch.targets):
                continue
            logits = as_logits(forward(batch.images)).cpu()
            targets = check_targets(batch.targets, logits.shape[1])
            which, others = choose_others(targets, 'other_class', generator)
            left_out += len(targets) - len(which)
            if not len(which):
                continue
            targets, swapped = targets[which], batch.swapped(which, others, border)
            parts.append(
                (
                    targets,
                    is_right(logits[which], targets),
                    is_right(as_logits(forward(swapped)).cpu(), targets),
                )
            )
    if not parts:
        raise ValueError(_nothing(left_out))
    targets, original, swapped = map(torch.cat, zip(*parts))
    weights = balanced_weights(label_rows(targets).double(), several=False)
    was, became = ((weights * right).sum().item() for right in (original, swapped))
    return SwapAccuracy(
        harmonic_mean([was, became]), was, became, len(targets), left_out
    )


def _nothing(left_out: int) -> str:
    if not left_out:
        return 'no image has a mask: give masks of a few images of each class'
    return (
        f'none of {left_out} images with a mask can get another background: give '
        'masks of at least two classes that leave some of the image, and shuffle '
        'the images with a fixed seed, since backgrounds come from the batch'
    )
