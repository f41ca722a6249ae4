"""Batches that can start inside an epoch without loading earlier batches."""

from collections.abc import Iterator

from mmengine.dist import get_dist_info, get_rank
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import BatchSampler, Sampler

from cfcn_plugin.mm.random_state import seed_by

from .seeded_dataset import EPOCH, Draw


class ResumableBatches(Sampler):
    """The batches of another batch sampler, with a start position.

    Args:
        sampler: The sampler of indices.
        batch_size: >= 1.
        drop_last: Whether a smaller last batch is left out.
        batch_sampler: Config of the wrapped batch sampler; None: torch's.
        seed: The run's seed, to seed each sample by (seed, epoch, index, position in
            the epoch over all processes) in a :class:`SeededDataset`. The position
            distinguishes the draws of a repeated index. None: samples are drawn from
            the current state of the generators.
    """

    def __init__(
        self,
        sampler: Sampler,
        batch_size: int,
        drop_last: bool = False,
        batch_sampler: dict | None = None,
        seed: int | None = None,
    ):
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.seed = seed
        self._batches = BatchSampler(sampler, batch_size, drop_last)
        if batch_sampler is not None:
            self._batches = DATA_SAMPLERS.build(
                batch_sampler, default_args=dict(sampler=sampler, batch_size=batch_size)
            )
        self._epoch = self._skip = 0

    def start(self, epoch: int, skip: int = 0) -> None:
        """Set the next epoch, and the number of batches to skip at its start."""
        self.seed_all(EPOCH, epoch)
        self._epoch, self._skip = epoch, skip
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)

    def seed_all(self, kind: int, number: int) -> None:
        """Seed this process's generators by (seed, kind, number) if ``seed`` is set."""
        if self.seed is not None:
            seed_by(kind, self.seed, get_rank(), number)

    def __iter__(self) -> Iterator[list]:
        skip, self._skip = self._skip, 0
        rank, processes = get_dist_info()
        done = 0
        for number, batch in enumerate(self._batches):
            if number >= skip:
                yield (
                    batch
                    if self.seed is None
                    else [
                        Draw(
                            index,
                            (
                                self.seed,
                                self._epoch,
                                index,
                                rank + processes * (done + i),
                            ),
                        )
                        for i, index in enumerate(batch)
                    ]
                )
            done += len(batch)

    def __len__(self) -> int:
        return len(self._batches)
