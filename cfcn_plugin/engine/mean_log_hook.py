"""One log for all processes."""
import numpy as np
import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import Hook, LoggerHook
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class MeanLogHook(Hook):
    """Log the mean over all processes of what a training step logs.

    mmengine writes what the first process saw: the losses and the focus of its own
    pictures. Here the numbers since the last line of the log are averaged when the next
    is due, in one small collective; in between nothing waits for anything. Ranks have
    batches of one size, so that the mean is that of the joined batch.

    Lines are due as the ``LoggerHook`` says; with one process there is nothing to do.
    """

    def __init__(self):
        self._waiting = 0  # iterations that only this rank has seen

    def before_train(self, runner) -> None:
        self._waiting = 0

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        if get_world_size() == 1 or not outputs:
            return
        self._waiting += 1
        if not self._is_due(runner, batch_idx):
            return
        # views of the logged numbers, which RuntimeInfoHook has just added to
        recent = [
            runner.message_hub.get_scalar(f'train/{key}').data[0][-self._waiting:]
            for key in sorted(outputs)
        ]
        mean = torch.from_numpy(np.stack(recent)).float()
        all_reduce(mean, op='mean')
        for values, row in zip(recent, mean):
            values[:] = row
        self._waiting = 0

    def _is_due(self, runner, batch_idx: int) -> bool:
        intervals = [h.interval for h in runner.hooks if isinstance(h, LoggerHook)]
        return (any(self.every_n_inner_iters(batch_idx, n) for n in intervals)
                or self.end_of_epoch(runner.train_dataloader, batch_idx))
