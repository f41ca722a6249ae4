"""Another image of the batch for each image, by the labels."""

import torch
from torch import Tensor

from cfcn_plugin.options import check_choice

from .correctness import label_rows

WHICH = ('other_class', 'same_class')
# in which a test of backgrounds shows an image
CONDITIONS = (*WHICH, 'no_background', 'no_object')


def choose_others(
    target: Tensor, which: str, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """For each image with labels another image with labels, at random.

    Args:
        target: (N,) whole numbers, or (N, C) in {0, 1}, on the CPU.
        which: ``'other_class'``: none of the other image's labels is the image's.
            ``'same_class'``: all are.
        generator: Of the choice.

    Returns:
        (M,) int64 each: the images that have such another image, and the other images.

    Raises:
        ValueError: ``which`` has another value, or see :func:`.label_rows`.
    """
    check_choice('which', which, WHICH)
    if not len(target):
        return (torch.empty(0, dtype=torch.long),) * 2
    rows = label_rows(target).float()
    shared, count = rows @ rows.T, rows.sum(1)
    if which == 'other_class':
        allowed = shared == 0
    else:
        allowed = (shared == count) & (shared == count[:, None])
        allowed &= ~torch.eye(len(rows), dtype=torch.bool)
    allowed &= (count > 0) & (count > 0)[:, None]
    images = allowed.any(1).nonzero().flatten()
    if not len(images):
        return images, images
    others = torch.multinomial(allowed[images].float(), 1, generator=generator)
    return images, others.flatten()
