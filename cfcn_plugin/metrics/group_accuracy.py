"""Accuracy of each group of images, and of the worst."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cfcn_plugin.functional.correctness import is_right

from .named_means import NamedMeans


class GroupAccuracy(NamedMeans):
    """Accuracy in percent of each group, the ``mean`` of groups and the ``worst``
    (Sagawa et al. 2020, group DRO)::

        metric = GroupAccuracy(['landbird on land', 'landbird on water', ...])
        metric.update(logits, labels, groups)
        metric.compute()['worst']

    Groups without an image are left out.

    Args:
        groups: The names of groups.
        **kwargs: As in every metric of torchmetrics.

    Raises:
        ValueError: A group is called as a summary is, or as another one.
    """

    higher_is_better = True

    def __init__(self, groups: Sequence[str], **kwargs):
        taken = {'mean', 'worst'} & set(groups)
        if taken:
            raise ValueError(
                f'a group is called {sorted(taken)}, as a summary is: rename the group'
            )
        super().__init__(groups, scale=100.0, **kwargs)

    def update(self, predicted: Tensor, target: Tensor, group: Tensor) -> None:
        """Add images.

        Args:
            predicted: (B, C) logits, or (B,) int64 predicted labels.
            target: (B,) int64 labels, or (B, C) in {0, 1} for several labels, all of
                which must be right.
            group: (B,) int64, the index of each image's group in ``groups``.

        Raises:
            ValueError: A shape is wrong, or there is no such group.
        """
        right = is_right(predicted, target)
        if group.shape != right.shape or group.is_floating_point():
            raise ValueError(
                f'`group` must be {tuple(right.shape)} int64, got '
                f'{tuple(group.shape)} {group.dtype}'
            )
        count = len(self.names)
        if ((group < 0) | (group >= count)).any():
            raise ValueError(
                f'`group` must be from 0 to {count - 1}, for the groups '
                f'{list(self.names)}, got {sorted(set(group.tolist()))}'
            )
        has = group[:, None] == torch.arange(count, device=group.device)
        super().update(right[:, None].to(self.total.dtype), has)

    def compute(self) -> dict[str, Tensor]:
        """Percent.

        Raises:
            ValueError: No image was added.
        """
        accuracy = super().compute()
        if not accuracy:
            raise ValueError('GroupAccuracy got no images')
        values = torch.stack(list(accuracy.values()))
        return {**accuracy, 'mean': values.mean(), 'worst': values.min()}
