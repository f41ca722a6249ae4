"""Saving a checkpoint when a scheduler's signal announces a kill."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import Value
from multiprocessing.sharedctypes import Synchronized

import torch
from mmengine.hooks import Hook
from torch import distributed

from cfcn_plugin.stock import GOES

from .atomic_checkpoint_hook import AtomicCheckpointHook

STOPPED = 75  # EX_TEMPFAIL of sysexits.h: temporary failure, try again
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class PreemptionExit(SystemExit):
    """The exit of a run that got a signal.

    The exit code is 75 if a checkpoint was saved. It is 128 + the signal's number, as
    for a killed process, if the config has no hook that saves.
    """


class PreemptionHook(Hook):
    """On SIGTERM or SIGUSR1, save a checkpoint after the iteration and exit with 75.

    If one of several processes gets the signal, all processes save and stop after the
    same iteration. The processes agree through an asynchronous gloo collective, whose
    result is read one iteration later, so no device waits. A signal during a validation
    stops the validation if a checkpoint of the last iteration exists. Otherwise the
    validation and one more iteration are completed first.
    """

    stock = GOES
    priority = 'LOWEST'  # after a regular checkpoint of the same iteration

    def __init__(self):
        self._signal = 0
        self._group = None
        self._answer = None
        self._val_iters = 0  # iterations of a validation, the minimum over processes
        self._is_over = Value('b', 0, lock=False)  # shared with data workers

    @contextlib.contextmanager
    def catch_signals(self) -> Iterator[None]:
        """Context that catches the signals; only in the main thread."""
        catches = threading.current_thread() is threading.main_thread()
        before = {one: signal.signal(one, self._note) for one in SIGNALS if catches}
        try:
            yield
        finally:
            self._is_over.value = 1
            for one, handler in before.items():
                signal.signal(one, handler)

    def _note(self, number: int, frame) -> None:
        self._signal = number

    def before_train(self, runner) -> None:
        if runner.distributed:
            self._group = distributed.new_group(backend='gloo')
        for loop in filter(None, (runner.train_loop, runner.val_loop)):
            loader = loop.dataloader
            loader.worker_init_fn = partial(
                _start_worker, loader.worker_init_fn, self._is_over
            )

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ) -> None:
        number = self._number()
        if number:
            saved = [hook.save_now(runner) for hook in _checkpoint_hooks(runner)]
            self._stop(runner, number, runner.iter + 1, saved)

    def before_val(self, runner) -> None:
        self._val_iters = len(runner.val_loop.dataloader)
        if self._group is not None:
            least = torch.tensor(self._val_iters)
            distributed.all_reduce(least, distributed.ReduceOp.MIN, self._group)
            self._val_iters = int(least)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if batch_idx >= self._val_iters:
            return
        # do not save during validation: the model may have EMA weights
        saved = [hook.saved_after(runner.iter) for hook in _checkpoint_hooks(runner)]
        if saved and all(saved):
            number = self._number()
            if number:
                self._stop(runner, number, runner.iter, saved)

    def after_train(self, runner) -> None:
        if self._answer is not None:
            self._answer[0].wait()

    def _number(self) -> int:
        """The signal's number or 0; with several processes, of the last iteration."""
        if self._group is None:
            return self._signal
        number = 0
        if self._answer is not None:
            work, flag = self._answer
            work.wait()
            number = int(flag)
        self._answer = None
        if not number:
            flag = torch.tensor(self._signal)
            self._answer = (
                distributed.all_reduce(
                    flag, distributed.ReduceOp.MAX, self._group, async_op=True
                ),
                flag,
            )
        return number

    @staticmethod
    def _stop(runner, number: int, iterations: int, saved: list[str]) -> None:
        what = (
            f'saved {saved[0]}; continue with `--resume`'
            if saved
            else (
                'nothing is saved, since the config has no CheckpointHook, or a class '
                'of its own for it'
            )
        )
        runner.logger.warning(
            f'got {signal.Signals(number).name}, stopped after '
            f'iteration {iterations}: {what}'
        )
        raise PreemptionExit(STOPPED if saved else 128 + number)


def _checkpoint_hooks(runner) -> list[AtomicCheckpointHook]:
    return [hook for hook in runner.hooks if isinstance(hook, AtomicCheckpointHook)]


def _start_worker(init: Callable | None, is_over: Synchronized, number: int) -> None:
    """Make a data worker ignore the signals until the run is over.

    Schedulers send signals to all processes of a job, and the run needs its data
    workers to finish the iteration. After the run the parent ends its workers by a
    signal.
    """
    for one in SIGNALS:
        signal.signal(one, partial(_end_when_over, is_over))
    if init is not None:
        init(number)


def _end_when_over(is_over: Synchronized, number: int, frame) -> None:
    if is_over.value:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
