"""Weights of which none fits the model are an error that says what to do."""

import re
import shlex

import pytest
import torch
from mmengine.runner import load_checkpoint
from mmpretrain.registry import MODELS
from torch import nn

from cfcn_plugin.mm.fitting_weights import UnfitWeightsError
from cfcn_plugin.mm.safe_loading import CheckpointError

pytestmark = [pytest.mark.stacks, pytest.mark.usefixtures('safe_loading')]


def model():
    return nn.ModuleDict(
        dict(
            backbone=nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)),
            head=nn.Linear(3, 2),
        )
    )


def save(path, weights, **more):
    torch.save(dict(state_dict=weights, **more), path)
    return str(path)


def renamed(rename):
    return {rename(key): value for key, value in model().state_dict().items()}


NONE_FITS = {
    'a prefix more': dict(state_dict=renamed(lambda k: f'net.model.{k}')),
    'a prefix less': {
        k: v
        for k, v in renamed(lambda k: k.removeprefix('backbone.')).items()
        if 'head' not in k
    },
    'in a part of its own': dict(model=renamed(str), epoch=3),
    'in a part, with a prefix': dict(model=renamed('model.{}'.format), epoch=3),
}


@pytest.mark.parametrize('strict', [False, True])
@pytest.mark.parametrize('content', NONE_FITS.values(), ids=NONE_FITS)
def test_command_of_the_message_writes_weights_that_fit(tmp_path, content, strict):
    file = tmp_path / "some one's.pth"
    torch.save(content, file)
    with pytest.raises(UnfitWeightsError) as raised:
        load_checkpoint(model(), str(file), strict=strict, logger=None)
    text = str(raised.value)
    assert f"'{file}': none of its " in text and "'backbone.0.weight', " in text
    python, option, code = shlex.split(text.partition('keys of the model:\n')[2])
    assert (python, option) == ('python', '-c')
    exec(code)
    loaded = model()
    load_checkpoint(loaded, str(tmp_path / "some one's.renamed.pth"), logger=None)
    expected = next(
        (c for c in (content.get('state_dict'), content.get('model')) if c), content
    )
    first = next(value for key, value in expected.items() if key.endswith('0.weight'))
    assert torch.equal(loaded['backbone'][0].weight, first)


def test_weights_of_another_model_are_named_with_those_of_this_one(tmp_path):
    file = save(tmp_path / 'x.pth', {'a.weight': torch.ones(2), 'b': torch.ones(1)})
    with pytest.raises(
        UnfitWeightsError,
        match=re.escape(
            f"'{file}': none of its 2 weights fits one of the 9 of the model, which "
            "would start from random weights. The checkpoint has 'a.weight', 'b', the "
            "model has 'backbone.0.weight', 'backbone.0.bias', 'backbone.1.weight' "
        ),
    ):
        load_checkpoint(model(), file, logger=None)


@pytest.mark.parametrize('content', [{}, dict(state_dict={})], ids=str)
def test_file_without_weights_gets_no_command_that_renames_them(tmp_path, content):
    file = tmp_path / 'x.pth'
    torch.save(content, file)
    with pytest.raises(
        UnfitWeightsError,
        match='The checkpoint has none, the model '
        'has .*Use the config of these weights, or rename their keys$',
    ):
        load_checkpoint(model(), str(file), logger=None)


def test_weights_of_other_sizes_are_named_with_both_sizes(tmp_path):
    file = save(tmp_path / 'x.pth', nn.Linear(5, 4).state_dict())
    with pytest.raises(
        UnfitWeightsError,
        match=re.escape("The sizes differ, 'weight' has (4, 5) and (1, 2)"),
    ):
        load_checkpoint(nn.Linear(2, 1, bias=False), file, logger=None)


@pytest.mark.parametrize('content', [{}, dict(state_dict={}), dict(epoch=3)], ids=str)
def test_checkpoint_without_weights_is_refused(tmp_path, content):
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(UnfitWeightsError, match='none of its 0 weights'):
        load_checkpoint(model(), str(tmp_path / 'x.pth'), logger=None)


def test_part_of_the_weights_is_loaded_as_before(tmp_path):
    weights = {k: v for k, v in model().state_dict().items() if 'head' not in k}
    file = save(tmp_path / 'x.pth', {f'module.{k}': v for k, v in weights.items()})
    loaded = model()
    load_checkpoint(loaded, file, logger=None)
    assert torch.equal(loaded['backbone'][0].weight, weights['backbone.0.weight'])
    with pytest.raises(RuntimeError, match=r"checkpoint '.*x\.pth': (.|\n)*missing"):
        load_checkpoint(loaded, file, strict=True, logger=None)


def test_weights_that_the_model_renames_itself_are_loaded(tmp_path):
    # TimmClassifier adds 'model.' to the keys
    timm = MODELS.build(dict(type='TimmClassifier', model_name='resnet10t'))
    file = save(tmp_path / 'x.pth', timm.model.state_dict())
    loaded = MODELS.build(dict(type='TimmClassifier', model_name='resnet10t'))
    load_checkpoint(loaded, file, logger=None)
    assert torch.equal(loaded.model.conv1[0].weight, timm.model.conv1[0].weight)


@pytest.mark.parametrize(
    'prefix, message',
    [
        (None, "none of its .* weights fits .*'backbone.conv1.weight'"),
        (
            'neck.',
            "no key begins with 'neck.', the checkpoint has 'backbone.conv1.weight'",
        ),
    ],
)
def test_initial_weights_of_a_config_that_do_not_fit_are_refused(
    tmp_path, prefix, message
):
    resnet = dict(type='ResNet', depth=18)
    weights = MODELS.build(resnet).state_dict()
    file = save(tmp_path / 'x.pth', {f'backbone.{k}': v for k, v in weights.items()})
    init = dict(type='Pretrained', checkpoint=file)
    built = MODELS.build(
        dict(
            resnet,
            init_cfg=dict(init, **({} if prefix is None else dict(prefix=prefix))),
        )
    )
    with pytest.raises(UnfitWeightsError, match=message):
        built.init_weights()


def test_weights_that_are_no_dict_name_the_file(tmp_path):
    file = save(tmp_path / 'x.pth', None)
    with pytest.raises(CheckpointError, match="x.pth' has a NoneType as `state_dict`"):
        load_checkpoint(model(), file, logger=None)
