"""Means of named values, each over the images that have the value."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric


class NamedMeans(Metric):
    """The mean of each named value over the images that have the value.

    Sums and counts are kept, so that the values of several processes join exactly, as
    for any metric of torchmetrics. A sampler that repeats images to make the parts of
    processes equal (``DistributedSampler``) counts these images twice.

    Args:
        names: Of the values.
        scale: Factor of the means, such as 100 for percent.
        **kwargs: As in every metric of torchmetrics.

    Raises:
        ValueError: Two names are equal.
    """

    is_differentiable = False
    full_state_update = False

    def __init__(self, names: Sequence[str], scale: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.names = tuple(names)
        if len(set(self.names)) < len(self.names):
            raise ValueError(f'`names` must differ, got {self.names}')
        self.scale = scale
        for state in ('total', 'count'):
            self.add_state(state, torch.zeros(len(self.names)), dist_reduce_fx='sum')

    def update(self, values: Tensor, has: Tensor) -> None:
        """Add the values of images.

        Args:
            values: (B, N), a column for each name.
            has: (B, N) bool: whether the image has the value. Others do not count.
        """
        self.total += torch.where(has, values, 0).sum(0).to(self.total.dtype)
        self.count += has.sum(0).to(self.count.dtype)

    def compute(self) -> dict[str, Tensor]:
        """The means, scalars, of the values that an image has."""
        means = self.scale * self.total / self.count
        return {
            name: mean
            for name, mean, count in zip(self.names, means, self.count.tolist())
            if count
        }


class GuidedMean(NamedMeans):
    """Means over the guided images, and how many images are ``guided`` and not.

    Args:
        names: Of the values.
        **kwargs: As in every metric of torchmetrics.
    """

    def __init__(self, names: Sequence[str], **kwargs):
        super().__init__(names, **kwargs)
        for state in ('guided', 'unguided'):
            self.add_state(state, torch.tensor(0.0), dist_reduce_fx='sum')

    def update(self, values: Mapping[str, Tensor], guided: Tensor) -> None:
        """Add the values of images.

        Args:
            values: (B,) for each name. Those of unguided images do not count.
            guided: (B,) bool.
        """
        if self.names:
            table = torch.stack([values[name] for name in self.names], 1)
            super().update(table, guided[:, None].expand_as(table))
        self.guided += guided.sum()
        self.unguided += (~guided).sum()

    def compute(self) -> dict[str, Tensor]:
        """The means, if an image is guided, and the counts."""
        return {**super().compute(), 'guided': self.guided, 'unguided': self.unguided}
