"""The hook warns once when maps become zero, and not before."""

from types import SimpleNamespace

import pytest
import torch

from cfcn_plugin.mm.engine import DeadMapHook


class Log:
    def __init__(self):
        self.warnings = []

    def warning(self, message):
        self.warnings.append(message)


def run(values, key='active_maps', **options):
    """The iterations in which it warned, and the messages."""
    hook, log, when = DeadMapHook(**options), Log(), []
    for iteration, value in enumerate(values):
        before = len(log.warnings)
        hook.after_train_iter(
            SimpleNamespace(iter=iteration, logger=log),
            iteration,
            outputs={'loss': torch.tensor(1.0), key: torch.tensor(value)},
        )
        when += [iteration] * (len(log.warnings) - before)
    return when, log.warnings


def test_a_fall_below_half_of_the_best_is_told_once():
    when, (message,) = run([0.8, 0.8, 0.6, 0.4, 0.2, 0.2, 0.1, 0.1], interval=2)
    assert when == [5]
    for text in (
        '`active_maps` is 0.200',
        'up to 6',
        '0.800 at its best',
        'GuidanceWarmUpHook',
    ):
        assert text in message


def test_it_is_told_again_after_a_recovery():
    assert run([0.8, 0.1, 0.1, 0.8, 0.1], interval=1)[0] == [1, 4]


def test_single_bad_iterations_are_no_collapse():
    assert run([1.0, 0.0, 1.0, 1.0] * 3, interval=4)[0] == []


def test_maps_that_never_lived_are_told():
    assert run([0.0] * 6, interval=3)[0] == [2]


def test_second_method_s_maps_are_watched_too():
    when, (message,) = run([0.9, 0.2], key='active_maps_1', interval=1)
    assert when == [1] and '`active_maps_1`' in message


def test_runs_without_guidance_are_silent():
    DeadMapHook(interval=1).after_train_iter(SimpleNamespace(iter=0), 0, outputs=None)


class OnGPU:
    """Stands for a tensor on a GPU, and counts how often it is read."""

    reads = 0

    def __radd__(self, other):
        return self

    __add__ = __radd__

    def __float__(self):
        OnGPU.reads += 1
        return 1.0


def test_the_device_is_read_once_an_interval():
    hook = DeadMapHook(interval=3)
    for iteration in range(9):
        hook.after_train_iter(
            SimpleNamespace(iter=iteration, logger=Log()),
            iteration,
            outputs=dict(active_maps=OnGPU()),
        )
    assert OnGPU.reads == 3


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(interval=0), '`interval` must be at least 1, got 0'),
        (dict(fraction=2), r'`fraction` must be in \[0, 1\], got 2'),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        DeadMapHook(**options)
