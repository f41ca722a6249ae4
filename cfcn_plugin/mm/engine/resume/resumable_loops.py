"""mmengine's training loops with resuming inside an epoch."""

import itertools
from collections.abc import Iterator

from mmengine.dataset import InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from mmengine.runner.loops import _InfiniteDataloaderIterator

from cfcn_plugin.stock import Stock

from .resumable_batches import ResumableBatches
from .seeded_dataset import STEP, SeededDataset


class ResumableMixin:
    """Adds :class:`ResumableBatches` to a loop, with a seed for exact resuming."""

    def __init__(self, runner, dataloader: dict, **options):
        dataloader = dict(dataloader)
        seed = runner.seed if runner.cfg.get('exact_resume') else None
        batches = dict(
            type=ResumableBatches,
            seed=seed,
            batch_sampler=dataloader.get('batch_sampler'),
        )
        if batches['batch_sampler'] is None:
            batches['drop_last'] = dataloader.pop('drop_last', False)
        super().__init__(runner, {**dataloader, 'batch_sampler': batches}, **options)
        loader = vars(self.dataloader)  # DataLoader has no setters
        # hooks read it (mmpretrain's PreciseBNHook)
        loader['batch_size'] = self.batches.batch_size
        if seed is not None:
            loader['dataset'] = SeededDataset(self.dataloader.dataset)

    @property
    def batches(self) -> ResumableBatches:
        return self.dataloader.batch_sampler

    def run_iter(self, *batch) -> None:
        self.batches.seed_all(STEP, self._iter)
        super().run_iter(*batch)


class ResumableEpochLoop(ResumableMixin, EpochBasedTrainLoop):
    """``EpochBasedTrainLoop`` that starts at the checkpoint's iteration in an epoch.

    Attributes:
        done: Finished iterations of the current epoch; 0 between two epochs.
    """

    stock = Stock('EpochBasedTrainLoop')
    done = 0

    def run_epoch(self) -> None:
        self.batches.start(self._epoch, self.done)
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for idx, data_batch in enumerate(self.dataloader, self.done):
            self.done = idx + 1
            self.run_iter(idx, data_batch)
        self.done = 0
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1


class ResumableIterLoop(ResumableMixin, IterBasedTrainLoop):
    """``IterBasedTrainLoop`` that resumes without loading earlier batches."""

    stock = Stock('IterBasedTrainLoop')

    def run(self):
        self.dataloader_iterator = _Endless(self._batches_after(self._iter))
        return super().run()

    def _batches_after(self, done: int) -> Iterator:
        """The batches after the first ``done``, epoch after epoch."""
        if not hasattr(_InfiniteDataloaderIterator, 'skip_iter'):
            # the original mmengine skips batches by loading each of them
            yield from itertools.repeat(None, done)
        endless = isinstance(self.batches.sampler, InfiniteSampler)
        epoch, skip = (0, done) if endless else divmod(done, len(self.batches))
        while True:
            self.batches.start(epoch, skip)
            yield from self.dataloader
            epoch, skip = epoch + 1, 0


class _Endless(itertools.chain):
    def skip_iter(self, count: int) -> None:
        """Do nothing: the iterator already starts after these batches."""
