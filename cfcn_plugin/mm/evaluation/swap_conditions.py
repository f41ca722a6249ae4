"""The conditions of BackgroundSwapMetric, and whether images can have them."""

from collections.abc import Collection, Sequence
from itertools import product


def check_possible(
    labels: Collection[frozenset[int]], conditions: Sequence[str]
) -> None:
    """Check that an image can have each condition.

    Args:
        labels: Of each image with a mask.

    Raises:
        ValueError: There is no mask, or a condition needs masks of other classes.
    """
    if not labels:
        raise ValueError(
            'BackgroundSwapMetric: no image has a mask that leaves a background. Load '
            'masks of some images of each class: LoadActivationMask after '
            'LoadImageFromFile in the pipeline of these images, for validation '
            '`val_dataloader.dataset.pipeline`'
        )
    kinds = set(labels)
    possible = dict(
        other_class=any(a and not a & b for a, b in product(kinds, kinds)),
        same_class=len(kinds) < len(labels),
    )
    for condition in conditions:
        if not possible.get(condition, True):
            raise ValueError(
                f"BackgroundSwapMetric: no image can have the condition '{condition}': "
                f'the {len(labels)} images with a mask have the labels '
                f'{sorted(map(sorted, kinds))[:5]}. Load masks of some images of each '
                'class, or leave the condition out of `conditions`'
            )
