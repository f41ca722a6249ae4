"""The log of several processes is that of all their pictures."""
from types import SimpleNamespace

import pytest
from gloo_processes import run_in_processes
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import MessageHub

from cfcn_plugin.engine import MeanLogHook


def logged(rank):
    """The history after each of an epoch of 5 iterations; lines are due after 2, 4, 5.

    Rank r sees focus 10 r + iteration.
    """
    runner = SimpleNamespace(
        message_hub=MessageHub.get_instance(f'rank {rank}'),
        hooks=[LoggerHook(interval=2)], train_dataloader=range(5), optim_wrapper=None)
    hook = MeanLogHook()
    hook.before_train(runner)
    seen = []
    for index in range(5):
        outputs = dict(focus=float(10 * rank + index), loss=float(rank))
        RuntimeInfoHook().after_train_iter(runner, index, outputs=outputs)
        hook.after_train_iter(runner, index, outputs=outputs)
        seen.append(runner.message_hub.get_scalar('train/focus').data[0].tolist())
    return seen, runner.message_hub.get_scalar('train/loss').data[0].tolist()


def test_one_process_logs_what_it_saw():
    focus, _ = logged(0)
    assert focus[-1] == [0, 1, 2, 3, 4]


def test_numbers_of_a_line_are_the_mean_over_processes():
    for rank, (focus, loss) in enumerate(run_in_processes(logged, 2)):
        assert focus == [
            [10 * rank],
            [5, 6],
            [5, 6, 10 * rank + 2],
            [5, 6, 7, 8],
            [5, 6, 7, 8, 9],
        ]
        assert loss == pytest.approx([0.5] * 5)
