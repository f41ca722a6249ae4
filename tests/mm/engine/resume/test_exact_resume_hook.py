"""A resumed run has the same final weights as an uninterrupted run."""

import copy

import mmengine.runner.utils
import pytest
import torch
from kill import Kill, Killed
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from cfcn_plugin.mm.engine import ResumableRunner
from cfcn_plugin.mm.engine.resume import exact_resume_hook
from cfcn_plugin.mm.random_state import seed_by


class KillInValidation(Hook):
    def __init__(self, at):
        self.at = at

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.at:
            raise Killed


def start(cfg, kill=None):
    """Start, or go on, as a new process would."""
    cfg.experiment_name = f'small_{id(cfg)}'  # else mmengine hands on the last one's
    runner = ResumableRunner.from_cfg(cfg)
    if kill is not None:
        runner.register_hook(kill)
    runner.train()
    return runner


def train(cfg, kills=(), kill=Kill):
    """Train; after each kill, go on."""
    for number, at in enumerate(kills):
        with pytest.raises(Killed):
            start(copy.deepcopy(cfg), kill(at))
        cfg.resume = True
        seed_by(number)  # another process has other states
    return start(cfg)


def state(runner):
    ema = [h.ema_model.state_dict() for h in runner.hooks if hasattr(h, 'ema_model')]
    return dict(
        model=runner.model.state_dict(),
        ema=ema,
        optimizer=runner.optim_wrapper.state_dict(),
        schedules=[s.state_dict()['last_step'] for s in runner.param_schedulers],
        at=(runner.epoch, runner.iter),
    )


def same(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.fixture(scope='module')
def whole(small_config, tmp_path_factory):
    """The run that is not killed."""
    return train(small_config(tmp_path_factory.mktemp('whole')))


@pytest.mark.parametrize(
    'kills',
    [(5, 8), *(pytest.param((at,), marks=pytest.mark.slow) for at in range(1, 13))],
)
def test_weights_are_those_of_the_run_that_was_not_killed(
    small_config, tmp_path, whole, kills
):
    same(state(train(small_config(tmp_path), kills)), state(whole))


def test_a_killed_validation_is_made_up_for(small_config, tmp_path, whole):
    runner = train(small_config(tmp_path), [12], KillInValidation)
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
    assert not torch.equal(
        found['ema'][0]['module.head.fc.weight'], found['model']['head.fc.weight']
    )


# ---- where it cannot be exact --------------------------------------------------


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(train_dataloader=dict(batch_size=2)), 'the batch size was 3.*is 2 now'),
        (dict(randomness=dict(seed=5)), 'the seed was 0.*is 5 now'),
    ],
)
def test_another_run_is_not_taken_for_the_same(
    small_config, tmp_path, changes, message
):
    with pytest.raises(Killed):
        start(small_config(tmp_path), kill=Kill(2))
    with pytest.raises(ValueError, match=f'exact resume: {message}'):
        start(small_config(tmp_path, resume=True, **changes))


def test_checkpoint_without_it_is_refused(small_config, tmp_path):
    with pytest.raises(Killed):
        start(small_config(tmp_path, exact_resume=False), kill=Kill(2))
    with pytest.raises(ValueError, match='is of a run without --exact-resume'):
        start(small_config(tmp_path, resume=True))


def test_ranks_with_seeds_of_their_own_have_one_for_the_run(
    small_config, tmp_path, monkeypatch
):
    for module in (mmengine.runner.utils, exact_resume_hook):
        monkeypatch.setattr(module, 'get_rank', lambda: 1)
    runner = ResumableRunner.from_cfg(
        small_config(
            tmp_path, randomness=dict(seed=4, diff_rank_seed=True), custom_hooks=[]
        )
    )
    assert runner.seed == 5
    checkpoint = dict(optimizer={})
    runner.call_hook('before_save_checkpoint', checkpoint=checkpoint)
    assert checkpoint[exact_resume_hook.KEY]['run']['the seed'] == 4


def test_checkpoints_without_the_optimizer_are_refused(small_config, tmp_path):
    with pytest.raises(ValueError, match='save_optimizer=False or --exact-resume out'):
        start(
            small_config(
                tmp_path, default_hooks=dict(checkpoint=dict(save_optimizer=False))
            )
        )


def test_hook_that_counts_elsewhere_is_refused(small_config, tmp_path):
    hook = dict(type='EarlyStoppingHook', monitor='focus/ratio', rule='greater')
    with pytest.raises(ValueError, match='EarlyStoppingHook does not save its count'):
        start(small_config(tmp_path, custom_hooks=[hook]))


def test_loop_of_unknown_kind_is_refused(small_config, tmp_path):
    with pytest.raises(ValueError, match='the train loop is Loop: leave'):
        start(
            small_config(
                tmp_path, train_cfg=dict(_delete_=True, type=Loop, max_epochs=1)
            )
        )


class Loop(EpochBasedTrainLoop):
    pass
