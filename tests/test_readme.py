"""What README and docs/mmpretrain.md show works as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS, MODELS
from PIL import Image
from torchvision.transforms import v2

from cfcn_plugin.data import BackgroundSwap

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')
MMPRETRAIN = (ROOT / 'docs/mmpretrain.md').read_text(encoding='utf-8')
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]


@pytest.fixture
def own_config(tmp_path):
    """The config of "A config of your own", with two images on disk."""
    code = re.search(r'```python\n(_base_.*?)```', MMPRETRAIN, re.S).group(1)
    assert len(code.strip().splitlines()) <= 20
    data = tmp_path / 'imagenet'
    for wnid in ('n01', 'n02'):
        for folder, ending in (('train', 'JPEG'), ('masks', 'png')):
            file = data / folder / wnid / f'1.{ending}'
            file.parent.mkdir(parents=True)
            Image.fromarray(np.full((50, 60), 255, np.uint8)).convert(
                'RGB' if folder == 'train' else 'L'
            ).save(file)
    path = tmp_path / 'my_config.py'
    path.write_text(code.replace('data/imagenet', str(data)))
    cfg = Config.fromfile(path)
    cfg.train_dataloader.dataset.update(
        type='CustomDataset', data_root=str(data), data_prefix='train'
    )
    cfg.train_dataloader.dataset.pop('split', None)
    return cfg


def test_own_config_trains_a_step_on_other_backgrounds(own_config):
    init_default_scope('mmpretrain')
    dataset = DATASETS.build(own_config.train_dataloader.dataset)
    model = MODELS.build(
        {**own_config.model, 'data_preprocessor': own_config.data_preprocessor}
    )
    samples = [dataset[i] for i in range(2)]
    data = model.data_preprocessor(
        dict(
            inputs=[s['inputs'] for s in samples],
            data_samples=[s['data_samples'] for s in samples],
        ),
        training=True,
    )
    assert data['masks'].guided.all()
    assert type(model.data_preprocessor.batch_augments.augments[0]) is BackgroundSwap
    assert not model.backbone.conv1.weight.requires_grad
    assert model(**data, mode='loss')['loss'].isfinite()


def test_the_loops_run_as_they_stand(tmp_path, monkeypatch):
    for number in range(4):
        for folder in ('train', 'masks'):
            file = tmp_path / f'data/{folder}/{number // 2}/{number}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.zeros((60, 60), np.uint8)
            pixels[20:40, 20:40] = 255
            Image.fromarray(pixels).save(file)
    monkeypatch.chdir(tmp_path)
    names = dict(
        model=timm.create_model('test_resnet', num_classes=2),
        transform=v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]),
    )
    swapped, guided = re.findall(
        r'```python\n(.*?)```', README.split('## Any PyTorch loop')[1], re.S
    )[:2]
    for code in (swapped, guided):
        names.pop('loss', None)
        exec(code, names)
        names['loss'].backward()
    assert names['masks'].guided.all()
    assert names['loss'] > F.cross_entropy(names['logits'], names['labels'])


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_file_a_page_names_exists(page):
    names = re.findall(
        r'(?<![\w/.])(?:configs|docs|tools|cfcn_plugin)/[\w./-]+\.(?:py|md|png)',
        page.read_text(encoding='utf-8'),
    )
    missing = [name for name in names if not (ROOT / name).exists()]
    assert not missing


def test_the_readme_has_at_most_150_lines():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    targets = re.findall(r'\]\(([^)#\s]+)', page.read_text(encoding='utf-8'))
    gone = [
        target
        for target in targets
        if '://' not in target and not (page.parent / target).exists()
    ]
    assert not gone
