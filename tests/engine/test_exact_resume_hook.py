"""A resumed run ends with the weights of the run that was not killed."""
import copy
from unittest import mock

import pytest
import torch
from mmengine.hooks import Hook

from cfcn_plugin.engine import ResumableRunner
from cfcn_plugin.random_state import seed_by


class Killed(BaseException):
    """Stands for a kill: nothing tidies up after it."""


class Kill(Hook):
    """After an iteration, when all others are done with it."""
    priority = 'LOWEST'

    def __init__(self, at):
        self.at = at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.at:
            raise Killed


class KillInValidation(Hook):

    def __init__(self, at):
        self.at = at

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.at:
            raise Killed


@pytest.fixture(scope='module', autouse=True)
def quick():
    """Looking for compilers takes longer than these runs."""
    with mock.patch('mmengine.runner.runner.collect_env', return_value={}):
        yield


def train(cfg, kills=(), kill=Kill):
    """Train; after each kill, go on. Returns the runner that came to the end."""
    for number, at in enumerate([*kills, None]):
        cfg = copy.deepcopy(cfg)
        cfg.resume = number > 0
        cfg.experiment_name = f'small_{id(cfg)}'  # else mmengine hands on the last one
        seed_by(number)  # another process has other states
        runner = ResumableRunner.from_cfg(cfg)
        if at is not None:
            runner.register_hook(kill(at))
        try:
            runner.train()
        except Killed:
            continue
    return runner


def state(runner):
    ema = [h.ema_model.state_dict() for h in runner.hooks if hasattr(h, 'ema_model')]
    return dict(
        model=runner.model.state_dict(), ema=ema,
        optimizer=runner.optim_wrapper.state_dict(),
        schedules=[s.state_dict()['last_step'] for s in runner.param_schedulers],
        at=(runner.epoch, runner.iter))


def same(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.fixture(scope='module')
def whole(small_config, tmp_path_factory):
    """The run that is not killed."""
    return train(small_config(tmp_path_factory.mktemp('whole')))


@pytest.mark.parametrize('kills', [(1, ), (3, ), (4, ), (5, 7, 9), (12, )])
def test_weights_are_those_of_the_run_that_was_not_killed(
        small_config, tmp_path, whole, kills):
    same(state(train(small_config(tmp_path), kills)), state(whole))


def test_a_killed_validation_is_made_up_for(small_config, tmp_path, whole):
    runner = train(small_config(tmp_path), [4, 8, 12], KillInValidation)
    same(state(runner), state(whole))
    best = 'best_score'
    assert runner.message_hub.get_info(best) == whole.message_hub.get_info(best)


def test_without_exact_resume_it_is_another_run(small_config, tmp_path, whole):
    plain = small_config(tmp_path, exact_resume=False)
    plain.randomness = dict(seed=0)
    with pytest.raises(AssertionError):
        same(state(train(plain, [4])), state(whole))


def test_nothing_in_the_state_is_trivial(whole):
    found = state(whole)
    assert found['at'] == (3, 12)
    assert found['ema'][0]['steps'] == 12
    assert not torch.equal(found['ema'][0]['module.head.fc.weight'],
                           found['model']['head.fc.weight'])
