"""The numbers of a log line: means over one window, over all processes."""

import re

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, get_world_size
from mmengine.hooks import Hook, LoggerHook

from cfcn_plugin.stock import GOES

PER_GUIDED = re.compile(r'focus(_best|_uniform)?(_\d+)?')  # a mean over guided images


class ReduceLogHook(Hook):
    """Make all numbers of a log line means over the same window and over all processes.

    By default mmengine averages losses and times over ``log_processor.window_size``
    iterations, and logs other numbers as of the last iteration. With this hook all
    numbers that training steps give are averaged. ``focus``, ``focus_best`` and
    ``focus_uniform`` are means over the guided images of the window: a batch counts by
    the number of its guided images.

    mmengine logs the numbers of the first process's images only. This hook averages the
    numbers since the last log line when the next log line is due, in two small
    collectives; other iterations do not synchronise. All ranks have the same batch
    size, so the mean equals the mean of the joined batch. Numbers that only some
    batches log are not averaged over processes. The ``LoggerHook`` sets the interval of
    log lines.
    """

    stock = GOES

    def __init__(self):
        self._keys = []  # keys of each iteration that is not yet averaged
        self._averaged = set()

    def before_train(self, runner) -> None:
        self._keys.clear()

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ) -> None:
        if not outputs:
            return
        self._average_all(runner, set(outputs))
        if 'guided_fraction' in outputs:
            fraction = _history(runner, 'guided_fraction')[0][-1]  # on the host already
            guided = round(fraction * len(data_batch['data_samples']))
            for key in filter(PER_GUIDED.fullmatch, outputs):
                _count_guided(_history(runner, key), guided)
        if get_world_size() == 1:
            return
        self._keys.append(set(outputs))
        if self._is_due(runner, batch_idx):
            self._reduce(runner)

    def _average_all(self, runner, keys: set[str]) -> None:
        if keys <= self._averaged:
            return
        new = '|'.join(map(re.escape, sorted(keys - self._averaged)))
        self._averaged |= keys
        log = runner.log_processor
        log.mean_pattern = re.compile(f'{log.mean_pattern.pattern}|^(train/)?({new})$')

    def _reduce(self, runner) -> None:
        always = set.intersection(*self._keys)
        always = set.intersection(*all_gather_object(always))
        # views of the history, to which RuntimeInfoHook has just added this iteration
        keys = sorted(always)
        recent = [
            part[-len(self._keys) :] for key in keys for part in _history(runner, key)
        ]
        total = torch.from_numpy(np.stack(recent).astype(np.float64))
        all_reduce(total)
        for i, key in enumerate(keys):
            # counts are whole numbers: of guided images they are summed
            ranks = 1 if PER_GUIDED.fullmatch(key) else get_world_size()
            for row in (2 * i, 2 * i + 1):
                recent[row][:] = total[row].numpy() / ranks
        self._keys.clear()

    def _is_due(self, runner, batch_idx: int) -> bool:
        intervals = [h.interval for h in runner.hooks if isinstance(h, LoggerHook)]
        return any(
            self.every_n_inner_iters(batch_idx, n) for n in intervals
        ) or self.end_of_epoch(runner.train_dataloader, batch_idx)


def _history(runner, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of all iterations, and how often each counts."""
    return runner.message_hub.get_scalar(f'train/{key}').data


def _count_guided(history: tuple[np.ndarray, np.ndarray], guided: int) -> None:
    """Count the last value, a mean over guided images, once for each of them."""
    values, counts = history
    values[-1] = values[-1] * guided if guided else 0
    counts[-1] = guided
