"""Every config of ours builds, and those that are compared differ in one thing."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

pytestmark = pytest.mark.stacks
CONFIGS = sorted(Path(__file__).parents[1].glob('configs/*.py'))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_every_config_builds(path):
    cfg = Config.fromfile(path)
    if 'model_name' in cfg.model.backbone:
        cfg.model.backbone.update(pretrained=False, local_weights=None)
    model = MODELS.build(cfg.model)
    classes = cfg.train_dataloader.dataset.get('classes')
    assert classes is None or len(classes) == model.head.num_classes


@pytest.mark.parametrize(
    'path', [c for c in CONFIGS if c.stem.startswith('cnn_')], ids=lambda p: p.stem
)
def test_a_config_and_its_baseline_differ_by_guidance_alone(path):
    name = path.name.removeprefix('cnn_')
    # cfcn_* have a stock head; where there is none, the baseline is CFCN-C's
    guided = path.with_name(f'cfcn_{name}')
    if not guided.exists():
        guided = path.with_name(f'cfcn-c_{name}')
    baseline, guided = Config.fromfile(path), Config.fromfile(guided)
    assert baseline.model.pop('guidance') is None
    guided.model.pop('guidance')
    assert baseline.to_dict() == guided.to_dict()


@pytest.mark.parametrize(
    'path', [c for c in CONFIGS if 'cfcnnet' in c.name], ids=lambda p: p.stem
)
def test_paper_networks_take_the_images_of_their_pipeline(path):
    cfg = Config.fromfile(path)
    cfg.model.backbone.filters = [1] * len(cfg.model.backbone.filters)
    model = MODELS.build(cfg.model).eval()
    dataset = cfg.train_dataloader.dataset
    steps = [
        step.get('transform', step)
        for step in (dataset.get('pipeline') or dataset.dataset.pipeline)
    ]
    stored = (28, 28) if 'mnist' in path.name else (40, 40)
    width, height = next((s.scale for s in steps if s.type == 'Resize'), stored)
    assert model(torch.zeros(1, 3, height, width)).shape == (1, model.head.num_classes)


@pytest.mark.parametrize('method', ['gain', 'rrr', 'energy', 'l1', 'actdiff'])
def test_other_methods_differ_from_cfcn_by_guidance_alone(method):
    cfcn, other = (
        Config.fromfile(
            CONFIGS[0].with_name(f'{name}_efficientnet-lite0_waterbirds.py')
        )
        for name in ('cfcn', method)
    )
    assert cfcn.model.pop('guidance') != other.model.pop('guidance')
    assert other.to_dict() == cfcn.to_dict()
