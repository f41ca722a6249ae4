"""Unguiding leaves a stock config; every config of ours builds."""
from pathlib import Path

import pytest
from mmengine.config import Config
from mmpretrain.registry import MODELS

from cfcn_plugin.config import unguide_config

CONFIGS = sorted(Path(__file__).parents[1].glob('configs/*.py'))
STOCK_HEADS = [c for c in CONFIGS if 'cfcnnet' not in c.name]


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_every_config_builds(path):
    cfg = Config.fromfile(path)
    if 'model_name' in cfg.model.backbone:
        cfg.model.backbone.update(pretrained=False, local_weights=None)
    model = MODELS.build(cfg.model)
    classes = cfg.train_dataloader.dataset.get('classes')
    assert classes is None or len(classes) == model.head.num_classes


@pytest.mark.parametrize('path', STOCK_HEADS, ids=lambda p: p.stem)
def test_unguided_config_has_nothing_of_ours(path):
    cfg = Config.fromfile(path)
    before = cfg.pretty_text
    text = unguide_config(cfg).pretty_text
    for name in ('Guided', 'guidance', 'feature_hook', 'LoadActivationMask',
                 'MaskAware', 'FocusMetric', 'cfcn_plugin', 'CheckHook'):
        assert name not in text, name
    assert cfg.pretty_text == before  # a pure function


def test_twins_differ_by_guidance_alone():
    for name in ('efficientnet-lite0_waterbirds', 'cfcnnet_textured-digits'):
        guided, = (c for c in CONFIGS if c.stem in (f'cfcn_{name}', f'cfcn-c_{name}'))
        twin = Config.fromfile(guided.with_name(f'cnn_{name}.py'))
        guided = Config.fromfile(guided)
        assert twin.model.pop('guidance') is None
        guided.model.pop('guidance')
        assert twin.to_dict() == guided.to_dict()
