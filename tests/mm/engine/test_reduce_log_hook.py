"""The log of several processes is the mean over all their images."""
from types import SimpleNamespace

import pytest
from gloo_processes import run_in_processes
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import MessageHub

from cfcn_plugin.mm.engine import ReduceLogHook


def logged(rank):
    """The history after each of an epoch of 5 iterations; lines are due after 2, 4, 5.

    Rank r sees focus 10 r + iteration.
    """
    runner = SimpleNamespace(
        message_hub=MessageHub.get_instance(f'rank {rank}'),
        hooks=[LoggerHook(interval=2)], train_dataloader=range(5), optim_wrapper=None)
    hook = ReduceLogHook()
    hook.before_train(runner)
    seen = []
    for index in range(5):
        outputs = dict(focus=float(10 * rank + index), loss=float(rank))
        if index % 2 == rank:  # what not all batches have
            outputs['sometimes'] = float(rank)
        RuntimeInfoHook().after_train_iter(runner, index, outputs=outputs)
        hook.after_train_iter(runner, index, outputs=outputs)
        seen.append(runner.message_hub.get_scalar('train/focus').data[0].tolist())
    history = runner.message_hub.get_scalar
    return seen, *(history(f'train/{key}').data[0].tolist()
                   for key in ('loss', 'sometimes'))


def test_one_process_logs_what_it_saw():
    focus, *_ = logged(0)
    assert focus[-1] == [0, 1, 2, 3, 4]


def test_numbers_of_a_line_are_the_mean_over_processes():
    for rank, (focus, loss, some) in enumerate(run_in_processes(logged, 2)):
        assert focus == [
            [10 * rank],
            [5, 6],
            [5, 6, 10 * rank + 2],
            [5, 6, 7, 8],
            [5, 6, 7, 8, 9],
        ]
        assert loss == pytest.approx([0.5] * 5)
        assert some == [rank] * (3 - rank)  # each its own: others lack some
