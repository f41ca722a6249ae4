"""Features of guided images, as they are and on the backgrounds of other images."""

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .batches import check_targets
from .guided_images import guided_images
from .linear_head import as_logits

FOLDS = 5


class Views(NamedTuple):
    """Features of N guided images.

    Attributes:
        plain: (N, F) of the images as they are.
        swapped: (N, V, F) on the backgrounds of V other images.
        targets: (N,) int64, or (N, C) for several labels.
        folds: (N,) int64. An image's backgrounds are of its own fold.
        others: (N, V) int64, which image gives the background.
        left_out: Number of images with a mask that were not taken: the mask covers the
            image, or no other image of the batch has a mask.
    """

    plain: Tensor
    swapped: Tensor
    targets: Tensor
    folds: Tensor
    others: Tensor
    left_out: int


def take_views(
    model: nn.Module,
    head: nn.Linear,
    batches: Iterable,
    views: int,
    border: float,
    seed: int,
    forward: Callable[[Tensor], Tensor],
    check: Callable[[int], None],
) -> Views:
    """The inputs of the layer ``head``; the batches are read once.

    Args:
        model: In evaluation mode.
        head: The model's linear layer.
        batches: As :func:`guided_images` takes them.
        views: Number V of other backgrounds for each image.
        border: Standard deviation of the object's blurred edge, pixels.
        seed: Of the choice of backgrounds.
        forward: From images to logits.
        check: Called with the number of images so far, before their features are taken.

    Raises:
        ValueError: No batch has two guided images, targets are not those of the model,
            or features are not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    device = next(model.parameters()).device
    parts, rows, masked, covered = [], 0, 0, 0
    with _inputs_of(head) as taken, torch.no_grad():
        for batch in guided_images(batches, device):
            count = len(batch.images)
            targets = check_targets(batch.targets, head.out_features)
            masked, covered = masked + count + batch.covered, covered + batch.covered
            if count < 2:  # no other image
                continue
            check(rows + count)
            folds, others = choose_backgrounds(count, views, generator)
            every = torch.arange(count)
            features = [_features(forward, batch.images, taken)]
            for other in others.T:
                features.append(
                    _features(forward, batch.swapped(every, other, border), taken)
                )
            parts.append(
                (
                    features[0],
                    torch.stack(features[1:], 1),
                    targets,
                    folds,
                    others + rows,
                )
            )
            rows += count
    if not parts:
        raise ValueError(_nothing_usable(masked, covered))
    plain, swapped, targets, folds, others = map(torch.cat, zip(*parts))
    return Views(plain, swapped, targets, folds, others, masked - rows)


def choose_backgrounds(
    count: int, views: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Folds, and for each image the images of its fold that give the backgrounds.

    Args:
        count: Number of images in the batch, >= 2.

    Returns:
        (count,) and (count, views) int64. Folds have as equal sizes as possible, at
        most five folds of at least two images. No image has its own background; in a
        fold of few images a background occurs again.
    """
    amount = min(FOLDS, max(2, count // (views + 1)), count // 2)
    order = torch.randperm(count, generator=generator)
    folds = torch.empty(count, dtype=torch.long)
    folds[order] = torch.arange(count) % amount
    others = torch.empty(count, views, dtype=torch.long)
    for fold in range(amount):
        members = order[fold::amount]
        for view in range(views):
            others[members, view] = members.roll(1 + view % (len(members) - 1))
    return folds, others


@contextmanager
def _inputs_of(layer: nn.Module):
    """A list to which each forward pass adds the layer's input."""
    taken = []
    handle = layer.register_forward_pre_hook(
        lambda _, args, kwargs: taken.append(*args, *kwargs.values()), with_kwargs=True
    )
    try:
        yield taken
    finally:
        handle.remove()


def _features(forward: Callable, images: Tensor, taken: list) -> Tensor:
    taken.clear()
    as_logits(forward(images))
    features = taken.pop().float().cpu()
    if not features.isfinite().all():
        raise ValueError(
            'features of the model are not finite: the images or the '
            'weights of the model are damaged, or too large for its dtype'
        )
    return features


def _nothing_usable(masked: int, covered: int) -> str:
    if not masked:
        return (
            'no image has a mask, or each mask is 0 everywhere: give masks of a '
            'few images of each class, not 0 on the object'
        )
    if covered == masked:
        return (
            f'each of the {masked} masks covers its whole image, so that there is '
            'no background to exchange: masks must be 0 on the background'
        )
    return (
        'no batch has two images with a mask and a background: give masks, and '
        'shuffled batches of more images'
    )
