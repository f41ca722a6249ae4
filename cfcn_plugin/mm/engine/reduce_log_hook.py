"""Averaging the log over all processes."""
import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, get_world_size
from mmengine.hooks import Hook, LoggerHook

from cfcn_plugin.stock import GOES


class ReduceLogHook(Hook):
    """Average the logged numbers of training steps over all processes.

    mmengine logs the losses and the focus of the first process's images only. This hook
    averages the numbers since the last log line when the next log line is due, in two
    small collectives; other iterations do not synchronise. All ranks have the same
    batch size, so the mean equals the mean of the joined batch.

    Numbers that only some batches log are not averaged. The ``LoggerHook`` sets the
    interval of log lines. With one process this hook does nothing.
    """
    stock = GOES

    def __init__(self):
        self._keys = []  # keys of each iteration that is not yet averaged

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
        # views of the history, to which RuntimeInfoHook has just added this iteration
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
