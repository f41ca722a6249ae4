"""What a run saves can be opened again, or is told at the first save."""

import inspect

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import OPTIMIZERS, PARAM_SCHEDULERS
from torch import nn

from cfcn_plugin.mm.engine import ResumableRunner
from cfcn_plugin.mm.engine.resume.resumed_content import check_schedulers
from cfcn_plugin.mm.engine.resume.saved_content import check_loadable, drop_functions
from cfcn_plugin.mm.safe_loading import CheckpointError

pytestmark = pytest.mark.usefixtures('safe_loading')
RESTART = dict(periods=[4, 5], restart_weights=[1, 0.5], eta_min=0)
FAMILIES = {
    'Constant': {},
    'CosineAnnealing': dict(T_max=9),
    'CosineRestart': RESTART,
    'Exponential': dict(gamma=0.5),
    'Linear': {},
    'MultiStep': dict(milestones=[3]),
    'OneCycle': dict(eta_max=1.0, total_steps=9),
    'Poly': {},
    'ReduceOnPlateau': dict(monitor='x'),
    'Step': dict(step_size=2),
}
KINDS = {'ParamScheduler': dict(param_name='lr'), 'LR': {}, 'Momentum': {}}
SCHEDULERS = {
    f'{family}{kind}': {**options, **more}
    for family, options in FAMILIES.items()
    for kind, more in KINDS.items()
}
SCHEDULERS.pop('OneCycleMomentum')  # mmengine has none


def opened(content, tmp_path):
    check_loadable(content)
    torch.save(content, tmp_path / 'x.pth')
    return torch.load(tmp_path / 'x.pth')


def test_the_schedulers_of_these_tests_are_all_that_mmengine_registers():
    assert set(PARAM_SCHEDULERS.module_dict) == set(SCHEDULERS)


@pytest.mark.parametrize('name', SCHEDULERS)
def test_each_scheduler_goes_on_as_if_it_had_not_been_saved(name, tmp_path):
    def build():
        optimizer = torch.optim.SGD(nn.Linear(2, 1).parameters(), 0.1, momentum=0.9)
        return optimizer, PARAM_SCHEDULERS.build(
            dict(SCHEDULERS[name], type=name, optimizer=optimizer)
        )

    def values(optimizer, scheduler, steps):
        given = [dict(x=1.0)] if 'Plateau' in name else []
        for _ in range(steps):
            scheduler.step(*given)
            yield [(g['lr'], g['momentum']) for g in optimizer.param_groups]

    optimizer, scheduler = build()
    list(values(optimizer, scheduler, 4))
    checkpoint = dict(
        param_schedulers=[scheduler.state_dict()], optimizer=optimizer.state_dict()
    )
    drop_functions(checkpoint, [scheduler])
    checkpoint = opened(checkpoint, tmp_path)
    other_optimizer, other = build()
    check_schedulers(checkpoint, [other], 'x.pth')
    other_optimizer.load_state_dict(checkpoint['optimizer'])
    other.load_state_dict(checkpoint['param_schedulers'][0])
    assert list(values(other_optimizer, other, 3)) == list(
        values(optimizer, scheduler, 3)
    )


def optimizers():
    return sorted(
        name
        for name, kind in OPTIMIZERS.module_dict.items()
        if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer)
    )


@pytest.mark.parametrize('name', optimizers())
def test_the_state_of_each_optimizer_can_be_opened(name, tmp_path):
    layer = nn.Linear(2, 1, bias=False)
    try:
        optimizer = OPTIMIZERS.build(dict(type=name, params=layer.parameters(), lr=0.1))
    except (TypeError, ImportError) as error:
        pytest.skip(str(error))

    def loss():
        layer.weight.grad = torch.ones_like(layer.weight)
        if name == 'SparseAdam':
            layer.weight.grad = layer.weight.grad.to_sparse()
        return torch.tensor(1.0)

    loss()
    optimizer.step(loss)
    state = opened(optimizer.state_dict(), tmp_path)
    assert state['param_groups'] == optimizer.state_dict()['param_groups']


class Odd:
    """No number, no text."""


@pytest.mark.parametrize(
    'part, name',
    [
        (
            dict(message_hub=dict(runtime_info={'a': 1, 'mine': Odd()})),
            r"checkpoint\['message_hub'\]\['runtime_info'\]\['mine'\] is a .*Odd",
        ),
        (
            dict(hooks=[1, (2, Odd)]),
            r"checkpoint\['hooks'\]\[1\]\[1\] is a builtins.type",
        ),
        (dict(meta=dict(f=lambda: 1)), r"checkpoint\['meta'\]\['f'\] is a .*function"),
    ],
    ids=['object', 'class', 'lambda'],
)
def test_what_would_be_refused_is_named_by_its_place(part, name):
    with pytest.raises(
        CheckpointError, match=f'could not be opened again: {name}.*add_safe_globals'
    ):
        check_loadable(dict(part, state_dict=nn.Linear(2, 1).state_dict()))


def test_class_that_is_allowed_as_the_message_says_can_be_saved(tmp_path):
    with torch.serialization.safe_globals([Odd]):
        assert isinstance(opened(dict(mine=Odd()), tmp_path)['mine'], Odd)


def test_scheduler_with_its_own_way_of_loading_keeps_its_function():
    class Own(PARAM_SCHEDULERS.get('OneCycleLR')):
        def load_state_dict(self, state_dict):
            self.anneal_func = state_dict['anneal_func']

    optimizer = torch.optim.SGD(nn.Linear(2, 1).parameters(), 0.1)
    scheduler = Own(optimizer, eta_max=1.0, total_steps=9)
    checkpoint = dict(param_schedulers=dict(a=[scheduler.state_dict()]))
    drop_functions(checkpoint, dict(a=[scheduler]))
    assert 'anneal_func' in checkpoint['param_schedulers']['a'][0]


class Remember(Hook):
    """A user's hook, which stores an object in the message hub."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        runner.message_hub.update_info('mine', Odd())


def test_run_is_told_at_its_first_save(small_config, tmp_path):
    runner = ResumableRunner.from_cfg(small_config(tmp_path, exact_resume=False))
    runner.register_hook(Remember())
    with pytest.raises(CheckpointError, match=r"\['runtime_info'\]\['mine'\]"):
        runner.train()
    assert runner.iter == 1  # saves after two iterations
    assert not list(tmp_path.glob('*.pth'))
