"""One log for all processes."""
from collections import Counter

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
        self._waiting = 0  # iterations that only this rank has seen
        self._logged = Counter()  # how many of them logged a number

    def before_train(self, runner) -> None:
        self._waiting = 0
        self._logged.clear()

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        if get_world_size() == 1 or not outputs:
            return
        self._waiting += 1
        self._logged.update(outputs.keys())
        if not self._is_due(runner, batch_idx):
            return
        always = {key for key, n in self._logged.items() if n == self._waiting}
        always = set.intersection(*all_gather_object(always))
        # views of the logged numbers, which RuntimeInfoHook has just added to
        recent = [
            runner.message_hub.get_scalar(f'train/{key}').data[0][-self._waiting:]
            for key in sorted(always)
        ]
        mean = torch.from_numpy(np.stack(recent)).float()
        all_reduce(mean, op='mean')
        for values, row in zip(recent, mean):
            values[:] = row
        self._waiting = 0
        self._logged.clear()

    def _is_due(self, runner, batch_idx: int) -> bool:
        intervals = [h.interval for h in runner.hooks if isinstance(h, LoggerHook)]
        return (any(self.every_n_inner_iters(batch_idx, n) for n in intervals)
                or self.end_of_epoch(runner.train_dataloader, batch_idx))
