"""A sample of the sweep over mmpretrain's zoo; the whole of it is in docs/zoo.md."""

import pytest
from zoo import check_build, check_step, page, smallest_of_classes

# one for each head that is not linear, and for images kept in memory
SAMPLE = [
    'lenet/lenet5_mnist',  # ClsHead, one channel
    'resnet/resnet18_8xb16_cifar10',
    'deit/deit-tiny_4xb256_in1k',  # Mixup, CutMix, repeated augmentation
    'deit/deit-tiny-distilled_4xb256_in1k',
    'mobilenet_v3/mobilenet-v3-small_8xb128_in1k',
    'resnet/resnet50_8xb16-mixup_cifar10',
]


@pytest.mark.parametrize('name', SAMPLE)
def test_guided_config_fits_the_stock_one_and_takes_a_step(name):
    built, step = check_build(name), check_step(name)
    assert built['verdict'] == 'ok', built['reason']
    assert step['verdict'] == 'ok', step['reason']
    assert 0 < step['loss_focus'] < 1 and step['guided_fraction'] > 0


@pytest.mark.parametrize(
    'check,name,reason',
    [
        (check_build, 'levit/deploy/levit-128s_8xb256_in1k', 'switch_to_deploy'),
        (check_step, 'levit/levit-128s_8xb256_in1k', 'training in distillation mode'),
    ],
)
def test_what_mmpretrain_cannot_do_itself_is_told_apart(check, name, reason):
    result = check(name)
    assert result['verdict'] == 'stock fails' and reason in result['reason']


def test_the_smallest_of_a_class_stands_for_it():
    one = dict(family='a', pipeline=['x'], head='h')
    built = {
        'a/large': dict(one, parameters=9),
        'a/small': dict(one, parameters=3),
        'a/other': dict(one, head='g', parameters=1),
        'a/broken': dict(verdict='error', reason='died'),
    }
    assert smallest_of_classes(built) == {
        'a/small': ['a/large', 'a/small'],
        'a/other': ['a/other'],
    }


def test_what_failed_and_what_was_skipped_is_on_the_page_with_its_reason():
    one = dict(family='a', pipeline=['x'], head='h', parameters=3)
    built = {
        'a/good': dict(one, verdict='ok', reason=''),
        'a/bad': dict(verdict='error', reason='ValueError: no'),
    }
    steps = {'a/good': dict(verdict='error', reason='died')}
    text = page(built, {'a/good': ['a/good']}, steps, {'a/none': 'it has no head'})
    assert 'Configs: 2, 1 ok, 1 error. Classes: 1, 1 error.' in text
    for line in ('- `a/bad`: ValueError: no', '- `a/none`: it has no head'):
        assert line in text.splitlines()
    assert '| error died |' in text
