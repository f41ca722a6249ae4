"""A data set with seeded samples, independent of the loading process."""

from typing import NamedTuple

from torch.utils.data import Dataset

from cfcn_plugin.mm.random_state import seed_by

SAMPLE, STEP, EPOCH = range(3)  # the purpose of a seed


class Draw(NamedTuple):
    """A sample to draw.

    Attributes:
        index: Index in the data set.
        seeds: Numbers that are unique to this draw.
    """

    index: int
    seeds: tuple[int, ...]


class SeededDataset(Dataset):
    """A wrapper that seeds all generators before it draws a sample.

    Args:
        dataset: The data set.
    """

    def __init__(self, dataset: Dataset):
        self.dataset = dataset

    def __getitem__(self, draw: Draw | int):
        if not isinstance(draw, Draw):
            return self.dataset[draw]
        seed_by(SAMPLE, *draw.seeds, devices=False)
        return self.dataset[draw.index]

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def metainfo(self) -> dict:
        return getattr(self.dataset, 'metainfo', {})
