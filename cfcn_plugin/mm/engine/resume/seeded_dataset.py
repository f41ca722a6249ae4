"""A data set whose samples are drawn by their seeds, in whichever process."""
from typing import NamedTuple

from torch.utils.data import Dataset

from cfcn_plugin.mm.random_state import seed_by

SAMPLE, STEP, EPOCH = range(3)  # what a seed is for


class Draw(NamedTuple):
    """A sample to draw.

    Attributes:
        index: In the data set.
        seeds: Numbers that no other draw has.
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
