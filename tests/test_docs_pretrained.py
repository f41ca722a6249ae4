"""What docs/pretrained.md shows works as it stands there."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from torch import nn

from cfcn_plugin import guide_config

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / 'docs/pretrained.md').read_text(encoding='utf-8')
FRAGMENT, LOOP = re.findall(r'```python\n(.*?)```', TEXT, re.S)


def test_the_fragment_guides_the_config_it_is_for(tmp_path):
    (tmp_path / 'birds.py').write_text(FRAGMENT)
    name = re.search(r'mmpretrain::\S+', TEXT).group()
    cfg = guide_config(
        get_config(name), **Config.fromfile(tmp_path / 'birds.py').to_dict()
    )
    assert cfg.model.fine_tuning == dict(frozen=0.7, norm_eval=True, zero_head=True)


def test_the_table_has_the_options_of_the_recipe():
    stock = get_config('mmpretrain::resnet/resnet50_8xb8_cub.py')
    cfg = guide_config(stock, dict(type='BoxMasks', ann_file='b'), recipe='pretrained')
    rows = dict(re.findall(r'`([\w.]+)=(dict\(.*\))` \|', TEXT))
    assert len(rows) == 4
    for key, value in rows.items():
        part = cfg
        for name in key.split('.'):
            part = part[name]
        expected = eval(value)
        assert {name: part[name] for name in expected} == expected


def test_the_loop_trains_the_head_and_the_last_layers_alone():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )
    before = {name: one.clone() for name, one in model.state_dict().items()}
    masks = torch.zeros(4, 1, 32, 32, dtype=torch.uint8)
    masks[..., 8:20, 8:20] = 1
    batch = (
        torch.rand(4, 3, 32, 32),
        torch.tensor([0, 1, 0, 1]),
        masks,
        torch.ones(4, dtype=torch.bool),
    )
    exec(LOOP, dict(model=model, loader=[batch], epochs=2, torch=torch))
    changed = {
        name
        for name, one in model.state_dict().items()
        if not torch.equal(one, before[name])
    }
    assert changed == {'3.weight', '3.bias', '6.weight', '6.bias'}


@pytest.mark.parametrize('name', ['swap-pretrained_efficientnet-lite0_waterbirds'])
def test_the_config_that_writes_the_options_out_has_them(name):
    cfg = Config.fromfile(ROOT / f'configs/{name}.py')
    assert cfg.model.fine_tuning == dict(frozen=0.7, norm_eval=True, zero_head=True)
    assert cfg.train_dataloader.sampler.class_balanced
