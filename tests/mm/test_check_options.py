"""Options that a class does not take, and those that it takes."""
from pathlib import Path

import pytest
from mmengine.config import Config

from cfcn_plugin.mm.check_options import check_options

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.mark.parametrize('part,place,options', [
    (dict(model=dict(guidance=[dict(type='CausalFocusLoss', pool='max')])),
     'model.guidance.0.pool', 'loss_weight, channels, eps, resize'),
    (dict(pipeline=[dict(type='LoadActivationMask', source=None, only='list.txt')]),
     'pipeline.0.only', 'source, min_visible, image_list, fraction'),
    (dict(source=dict(type='COCOMasks', ann_file='a.json', object='label')),
     'source.object', 'crowd, objects, classes, categories'),
    (dict(hook=dict(type='DeadMapHook', every=2)), 'hook.every', 'interval, fraction'),
])
def test_unknown_option_is_refused_with_its_place_and_the_known_ones(
        part, place, options):
    with pytest.raises(ValueError) as caught:
        check_options(part)
    assert str(caught.value).startswith(f'`{place}`: ')
    assert options in str(caught.value)


@pytest.mark.parametrize('part', [
    dict(type='DeadMapHook', interval=2, priority='LOW', _scope_='mmpretrain'),
    dict(type='COCOMasks', ann_file='a.json', objects='label'),
    dict(type='FocusMetric', prefix='mine'),
    dict(type='Accuracy', nothing_of_ours=1),
])
def test_options_of_mmengine_and_of_other_packages_pass(part):
    check_options(part)


@pytest.mark.parametrize('file', sorted(CONFIGS.glob('*.py')), ids=lambda f: f.stem)
def test_shipped_configs_pass(file):
    check_options(Config.fromfile(file).to_dict())
