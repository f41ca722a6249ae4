"""The log of a step is copied to the host at once, without changed values."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from cfcn_plugin.mm.engine import BatchedLogHook


class Copies(TorchDispatchMode):
    """Counts copies of pretended values from 'meta', and hands out 0, 1, 2 ..."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten._to_copy.default and (
            torch.device((kwargs or {}).get('device', 'meta')).type == 'cpu'
        ):
            self.count += 1
            return torch.arange(args[0].numel(), dtype=args[0].dtype)
        return function(*args, **(kwargs or {}))


def read(outputs):
    BatchedLogHook().after_train_iter(SimpleNamespace(), 0, outputs=outputs)
    return outputs


def test_numbers_on_the_device_are_read_in_one_copy_in_their_order():
    outputs = {
        key: torch.ones(shape, device='meta', requires_grad=True)
        for key, shape in (('loss', ()), ('loss_focus', ()), ('focus', (1,)))
    }
    with Copies() as copies:
        read(outputs)
    assert copies.count == 1
    assert {key: value.item() for key, value in outputs.items()} == dict(
        loss=0, loss_focus=1, focus=2
    )


def test_half_precision_does_not_round_what_is_beside_it():
    outputs = dict(
        loss=torch.ones((), device='meta', dtype=torch.float16),
        focus=torch.ones((), device='meta', dtype=torch.float64),
    )
    with Copies():
        assert read(outputs)['focus'].dtype == torch.float64


def test_what_is_on_the_host_or_no_number_stays():
    outputs = dict(loss=torch.tensor(2.0), lr=0.1, map=torch.ones(3, device='meta'))
    kept = dict(outputs)
    assert read(outputs) == kept
    assert all(outputs[key] is kept[key] for key in kept)


@pytest.mark.parametrize('outputs', [None, {}])
def test_a_step_that_logs_nothing_is_left_alone(outputs):
    assert not read(outputs)
