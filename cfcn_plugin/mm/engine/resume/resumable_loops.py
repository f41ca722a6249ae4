"""mmengine's training loops that can go on inside an epoch."""
from collections.abc import Iterator

from mmengine.dataset import InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import DataLoader

from cfcn_plugin.stock import Stock

from .resumable_batches import ResumableBatches
from .seeded_dataset import SeededDataset


class ResumableMixin:
    """Gives a loop :class:`ResumableBatches`, seeded where the run resumes exactly."""

    def __init__(self, runner, dataloader: dict | DataLoader, **options):
        if isinstance(dataloader, dict):
            dataloader = _resumable(
                dataloader, runner.seed if runner.cfg.get('exact_resume') else None)
        super().__init__(runner, dataloader, **options)
        if self.dataloader.batch_size is None:  # of a loader with a batch sampler
            # hooks read it (mmpretrain's PreciseBNHook), and DataLoader has no setter
            vars(self.dataloader)['batch_size'] = self.batches.batch_size

    @property
    def batches(self) -> ResumableBatches:
        return self.dataloader.batch_sampler


class ResumableEpochLoop(ResumableMixin, EpochBasedTrainLoop):
    """``EpochBasedTrainLoop`` whose first epoch begins where the checkpoint ends.

    Attributes:
        done: Finished iterations of the current epoch; 0 between two epochs.
    """
    stock = Stock('EpochBasedTrainLoop')
    done = 0

    def run_epoch(self) -> None:
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        self.batches.start(self._epoch, self.done)
        for idx, data_batch in enumerate(self.dataloader, self.done):
            self.done = idx + 1
            self.run_iter(idx, data_batch)
        self.done = 0
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1


class ResumableIterLoop(ResumableMixin, IterBasedTrainLoop):
    """``IterBasedTrainLoop`` that goes on without reading earlier batches again."""
    stock = Stock('IterBasedTrainLoop')

    def run(self):
        self.dataloader_iterator = _Endless(self, self._iter)
        return super().run()


class _Endless:
    """The batches after the first ``done``, epoch after epoch."""

    def __init__(self, loop: ResumableIterLoop, done: int):
        self._loop = loop
        endless = isinstance(loop.batches.sampler, InfiniteSampler)
        self._epoch, self._skip = (0, done) if endless else divmod(
            done, len(loop.batches))
        self._iterator = None
        # the original mmengine takes the batches to skip one by one
        self._to_skip = 0 if hasattr(_InfiniteDataloaderIterator, 'skip_iter') else done

    def skip_iter(self, count: int) -> None:
        """Nothing is left to skip: the iterator begins after these batches."""

    def __iter__(self) -> Iterator:
        return self

    def __next__(self):
        if self._to_skip:
            self._to_skip -= 1
            return None
        if self._iterator is not None:
            try:
                return next(self._iterator)
            except StopIteration:
                self._epoch, self._skip = self._epoch + 1, 0
        self._loop.batches.start(self._epoch, self._skip)
        self._iterator = iter(self._loop.dataloader)
        return next(self._iterator)


def _resumable(loader: dict, seed: int | None) -> dict:
    loader = dict(loader)
    batches = dict(type=ResumableBatches, seed=seed)
    if loader.get('batch_sampler') is not None:
        batches['batch_sampler'] = loader['batch_sampler']
    else:
        batches['drop_last'] = loader.pop('drop_last', False)
    loader['batch_sampler'] = batches
    if seed is not None:
        loader['dataset'] = dict(type=SeededDataset, dataset=loader['dataset'])
    return loader
