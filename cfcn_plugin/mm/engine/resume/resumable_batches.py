"""Batches of which the first ones of an epoch can be left out, without reading them."""
from collections.abc import Iterator

from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import BatchSampler, Sampler

from .seeded_dataset import Draw


class ResumableBatches(Sampler):
    """The batches of another batch sampler.

    Args:
        sampler: Of samples.
        batch_size: >= 1.
        drop_last: Whether a last, smaller batch is left out.
        batch_sampler: Config of the one that makes the batches; None: torch's.
        seed: Of the run, if each sample is to be drawn by (seed, epoch, index, place in
            the epoch, over all processes); for :class:`SeededDataset`. The place tells
            apart the draws of a sampler that repeats. None: as the generators stand.
    """

    def __init__(self,
                 sampler: Sampler,
                 batch_size: int,
                 drop_last: bool = False,
                 batch_sampler: dict | None = None,
                 seed: int | None = None):
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.seed = seed
        self._batches = BatchSampler(sampler, batch_size, drop_last)
        if batch_sampler is not None:
            self._batches = DATA_SAMPLERS.build(batch_sampler, default_args=dict(
                sampler=sampler, batch_size=batch_size))
        self._epoch = self._skip = 0

    def start(self, epoch: int, skip: int = 0) -> None:
        """Say which epoch comes next, and how many of its batches are left out."""
        self._epoch, self._skip = epoch, skip
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[list]:
        skip, self._skip = self._skip, 0
        rank, processes = get_dist_info()
        done = 0
        for number, batch in enumerate(self._batches):
            if number >= skip:
                yield batch if self.seed is None else [
                    Draw(index, (self.seed, self._epoch, index,
                                 rank + processes * (done + i)))
                    for i, index in enumerate(batch)]
            done += len(batch)

    def __len__(self) -> int:
        return len(self._batches)
