"""A line of the log is a mean over its window, over all images of all processes."""

import math
from types import SimpleNamespace

import pytest
from gloo_processes import run_in_processes
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.runner import LogProcessor

from cfcn_plugin.mm.engine import ReduceLogHook


def logged(rank):
    """The history after each of an epoch of 5 iterations; lines are due after 2, 4, 5.

    In iteration i rank r logs 10 r + i.
    """
    runner = SimpleNamespace(
        message_hub=MessageHub.get_instance(f'rank {rank}'),
        log_processor=LogProcessor(),
        hooks=[LoggerHook(interval=2)],
        train_dataloader=range(5),
        optim_wrapper=None,
    )
    hook = ReduceLogHook()
    hook.before_train(runner)
    seen = []
    for index in range(5):
        outputs = dict(some=float(10 * rank + index), loss=float(rank))
        if index % 2 == rank:  # what not all batches have
            outputs['sometimes'] = float(rank)
        RuntimeInfoHook().after_train_iter(runner, index, outputs=outputs)
        hook.after_train_iter(runner, index, outputs=outputs)
        seen.append(runner.message_hub.get_scalar('train/some').data[0].tolist())
    history = runner.message_hub.get_scalar
    return seen, *(
        history(f'train/{key}').data[0].tolist() for key in ('loss', 'sometimes')
    )


def test_one_process_logs_what_it_saw():
    some, *_ = logged(0)
    assert some[-1] == [0, 1, 2, 3, 4]


def test_numbers_of_a_line_are_the_mean_over_processes():
    for rank, (values, loss, sometimes) in enumerate(run_in_processes(logged, 2)):
        assert values == [
            [10 * rank],
            [5, 6],
            [5, 6, 10 * rank + 2],
            [5, 6, 7, 8],
            [5, 6, 7, 8, 9],
        ]
        assert loss == pytest.approx([0.5] * 5)
        assert sometimes == [rank] * (3 - rank)  # each its own: others lack some


BATCHES = [  # of four images each: how many are guided, and their mean focus
    [(4, 0.5), (0, math.nan), (1, 0.9), (2, 0.8)],
    [(1, 0.1), (3, 0.4), (0, math.nan), (0, math.nan)],
]


def log_line(rank):
    """The numbers of the line after four iterations of a rank."""
    runner = SimpleNamespace(
        message_hub=MessageHub.get_instance(f'line {rank}'),
        log_processor=LogProcessor(),
        hooks=[LoggerHook(interval=4)],
        train_dataloader=range(4),
        optim_wrapper=None,
    )
    hook = ReduceLogHook()
    hook.before_train(runner)
    for index, (guided, focus) in enumerate(BATCHES[rank]):
        outputs = dict(guided_fraction=guided / 4, focus=focus, focus_best_1=focus)
        RuntimeInfoHook().after_train_iter(runner, index, outputs=outputs)
        hook.after_train_iter(
            runner, index, dict(data_samples=[None] * 4), outputs=outputs
        )
    return runner.log_processor._collect_scalars([], runner, 'train')


def test_focus_of_a_line_is_the_mean_over_the_guided_images_of_its_window():
    line = log_line(0)
    assert line['guided_fraction'] == 7 / 16
    assert line['focus'] == pytest.approx((4 * 0.5 + 0.9 + 2 * 0.8) / 7)
    assert line['focus_best_1'] == line['focus']


def test_focus_of_several_processes_is_that_of_all_their_guided_images():
    expected = (4 * 0.5 + 0.9 + 2 * 0.8 + 0.1 + 3 * 0.4) / 11
    for line in run_in_processes(log_line, 2):
        assert line['focus'] == pytest.approx(expected)
        assert line['guided_fraction'] == 11 / 32
