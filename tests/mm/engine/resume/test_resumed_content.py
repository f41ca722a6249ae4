"""A run is resumed from a checkpoint of the same run only."""

import re

import pytest
import torch
from mmengine.hooks import EMAHook, Hook

from cfcn_plugin.mm.engine import ResumableRunner
from cfcn_plugin.mm.safe_loading import CheckpointError

pytestmark = pytest.mark.usefixtures('safe_loading')
ONE_CYCLE = dict(type='OneCycleLR', eta_max=0.02, total_steps=12, by_epoch=False)


class End(Hook):
    """Ends a run after the checkpoint of the fourth iteration."""

    priority = 'LOWEST'

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == 4:
            raise KeyboardInterrupt


def start(cfg, name):
    cfg.experiment_name = name
    runner = ResumableRunner.from_cfg(cfg)
    runner.train()
    return runner


def rates(runner):
    return list(runner.message_hub.get_scalar('train/lr').data[0])


@pytest.fixture
def saved(small_config, tmp_path):
    """A checkpoint after four of 12 iterations, and its config by changes."""

    def config(work_dir=tmp_path / 'run', **changes):
        changes.setdefault('param_scheduler', [ONE_CYCLE])
        return small_config(work_dir, **changes)

    cfg = config(experiment_name='first')
    runner = ResumableRunner.from_cfg(cfg)
    runner.register_hook(End())
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    return tmp_path / 'run' / 'iter_4.pth', config


def test_one_cycle_run_goes_on_with_the_same_rates(small_config, saved, tmp_path):
    whole = start(
        small_config(tmp_path / 'whole', param_scheduler=[ONE_CYCLE]), 'whole'
    )
    _file, config = saved
    resumed = start(config(resume=True), 'second')
    assert rates(resumed) == rates(whole)
    assert len(set(rates(whole))) == 12
    torch.testing.assert_close(
        resumed.model.state_dict(), whole.model.state_dict(), rtol=0, atol=0
    )


def change(file, **changes):
    content = torch.load(file)
    content.update(changes)
    torch.save({k: v for k, v in content.items() if v is not None}, file)
    return content


@pytest.mark.parametrize(
    'kept, missing',
    [
        ((), 'state_dict, message_hub, meta.epoch, meta.iter'),
        (('state_dict', 'meta'), 'message_hub'),
        (('state_dict', 'message_hub'), 'meta.epoch, meta.iter'),
    ],
)
def test_file_of_weights_only_is_refused(saved, kept, missing):
    file, config = saved
    content = torch.load(file)
    weights = content['state_dict']
    torch.save({key: content[key] for key in kept} or weights, file)
    with pytest.raises(
        CheckpointError,
        match=re.escape(f"'{file}' cannot be resumed: it has no {missing}, as"),
    ) as error:
        start(config(resume=True, load_from=str(file)), 'bare')
    assert f'--cfg-options load_from={file}' in str(error.value)


@pytest.mark.parametrize('named', [True, False], ids=['named', 'of a stock run'])
@pytest.mark.parametrize(
    'optimizer',
    [
        dict(type='SGD', lr=0.1, momentum=0.9),
        dict(type='RMSprop', lr=0.1),
        dict(type='Adadelta'),
    ],
    ids=lambda o: o['type'],
)
def test_checkpoint_of_another_optimizer_is_refused(saved, optimizer, named):
    file, config = saved
    if not named:
        change(file)['meta'].pop('optimizers')
        content = torch.load(file)
        content['meta'].pop('optimizers')
        torch.save(content, file)
    cfg = config(resume=True)
    cfg.optim_wrapper.optimizer = optimizer
    with pytest.raises(
        ValueError,
        match=f"iter_4.pth' cannot be resumed: .*"
        f'the run has {optimizer["type"]}: use the optimizer of',
    ):
        start(cfg, f'other{named}')


def test_optimizer_of_equal_settings_and_another_name_is_refused(saved):
    _file, config = saved
    cfg = config(resume=True)
    cfg.optim_wrapper.optimizer = dict(type='Adam', lr=0.1)
    with pytest.raises(ValueError, match='saved with AdamW, and the run has Adam:'):
        start(cfg, 'adam')


def test_optimizer_of_other_parameters_is_refused(saved):
    _file, config = saved
    cfg = config(resume=True)
    cfg.optim_wrapper.paramwise_cfg = dict(bias_lr_mult=2.0)
    with pytest.raises(
        ValueError,
        match=r"iter_4.pth' .* parameters in 1 groups, and "
        r'the run has \d+ in \d+: .*paramwise_cfg',
    ):
        start(cfg, 'groups')


@pytest.mark.parametrize('kind', ['Lamb', 'Adagrad', 'RAdam'])
def test_any_optimizer_resumes_its_own_state(small_config, tmp_path, kind):
    cfg = small_config(tmp_path, param_scheduler=[], experiment_name=kind)
    cfg.optim_wrapper.optimizer = dict(type=kind, lr=1e-4)
    runner = ResumableRunner.from_cfg(cfg)
    runner.register_hook(End())
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    cfg.resume = True
    assert start(cfg, f'{kind} again').iter == 12


def test_model_of_other_sizes_is_refused(saved):
    _file, config = saved
    cfg = config(resume=True)
    cfg.model.backbone.filters = [4, 7]
    with pytest.raises(
        ValueError,
        match=r"iter_4.pth' cannot be resumed: 'backbone\."
        r'layers\.1\.0\.weight\' has the size \(6, .*, and \(7, .* use '
        'the model of the interrupted run',
    ):
        start(cfg, 'wider')


def test_states_of_other_schedulers_are_refused(saved):
    _file, config = saved
    cfg = config(resume=True, param_scheduler=[dict(type='StepLR', step_size=1)])
    with pytest.raises(
        ValueError,
        match=r"iter_4.pth' .* scheduler 0 has .*'eta_"
        'max.* the scheduler of the run, StepLR, has not',
    ):
        start(cfg, 'steps')


@pytest.mark.parametrize(
    'wrap',
    [
        lambda weights: weights,
        lambda weights: dict(state_dict=weights),
        lambda weights: dict(state_dict={f'module.{k}': v for k, v in weights.items()}),
    ],
    ids=['bare', 'in a checkpoint', 'of a parallel run'],
)
def test_average_begins_from_the_weights_of_the_run(saved, wrap, tmp_path):
    file, config = saved
    weights = torch.load(file)['state_dict'].items()
    torch.save(
        wrap({k: torch.full_like(v, 3) for k, v in weights}), tmp_path / 'weights.pth'
    )
    runner = ResumableRunner.from_cfg(
        config(tmp_path / 'new', load_from=str(tmp_path / 'weights.pth'))
    )
    runner.call_hook('before_run')
    runner.load_or_resume()
    (average,) = [hook.ema_model for hook in runner.hooks if isinstance(hook, EMAHook)]
    for model in (runner.model, average.module):
        assert all((p == 3).all() for p in model.parameters())


def test_run_from_weights_that_do_not_fit_is_refused(small_config, tmp_path):
    torch.save(dict(state_dict={'net.conv.weight': torch.ones(2)}), tmp_path / 'x.pth')
    with pytest.raises(RuntimeError, match=r"x.pth': none of its 1 weights fits"):
        start(
            small_config(
                tmp_path / 'run', exact_resume=False, load_from=str(tmp_path / 'x.pth')
            ),
            'unfit',
        )
