"""One log for all processes."""
import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, get_world_size
from mmengine.hooks import Hook, LoggerHook

from cfcn_plugin.stock import GOES


class ReduceLogHook(Hook):
    """Log the mean over all processes of what a training step logs.

    mmengine writes what the first process saw: the losses and the focus of its own
    images. Here the numbers since the last line of the log are averaged when the next
    is due, in two small collectives; in between nothing waits for anything. Ranks have
    batches of one size, so that the mean is that of the joined batch.

    What only some batches log stays the first process's. Lines are due as the
    ``LoggerHook`` says; with one process there is nothing to do.
    """
    stock = GOES

    def __init__(self):
        self._keys = []  # of each iteration that only this rank has seen

    def before_train(self, runner) -> None:
        self._keys.clear()

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        if get_world_size() == 1 or not outputs:
            return
        self._keys.append(set(outputs))
        if not self._is_due(runner, batch_idx):
            return
        always = set.intersection(*self._keys)
        always = set.intersection(*all_gather_object(always))
        # views of the logged numbers, which RuntimeInfoHook has just added to
        recent = [
            runner.message_hub.get_scalar(f'train/{key}').data[0][-len(self._keys):]
            for key in sorted(always)
        ]
        mean = torch.from_numpy(np.stack(recent)).float()
        all_reduce(mean, op='mean')
        for values, row in zip(recent, mean):
            values[:] = row
        self._keys.clear()

    def _is_due(self, runner, batch_idx: int) -> bool:
        intervals = [h.interval for h in runner.hooks if isinstance(h, LoggerHook)]
        return (any(self.every_n_inner_iters(batch_idx, n) for n in intervals)
                or self.end_of_epoch(runner.train_dataloader, batch_idx))
