"""What docs/loops.md shows works as it stands there, and names every option."""

import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import cfcn_plugin

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / 'docs/loops.md').read_text(encoding='utf-8')
LOOP, AUGMENTS, LOGGING, METRICS = re.findall(r'```python\n(.*?)```', TEXT, re.S)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """What the loop leaves, after its run on four images of which two have masks."""
    for number in range(4):
        for folder in ('train', 'masks')[: 1 + number % 2]:
            file = tmp_path / f'data/{folder}/{number // 2}/{number}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.zeros((60, 60), np.uint8)
            pixels[10:50, 10:50] = 255
            Image.fromarray(pixels).save(file)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = timm.create_model('test_resnet', num_classes=2)
    before = next(model.parameters()).detach().clone()
    names = dict(model=model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
    exec(LOOP, names)
    return {**names, 'before': before}


def test_the_loop_trains_and_leaves_nothing_on_the_model(trained):
    model = trained['model']
    assert not torch.equal(next(model.parameters()), trained['before'])
    assert trained['masks'].guided.sum() == 2 and trained['loss'].isfinite()
    trained['guide'].remove()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_the_batch_augments_take_labels_and_guidance_takes_what_they_give(trained):
    for line in AUGMENTS.splitlines():
        names = {**trained, 'cfcn': cfcn_plugin}
        exec(line, names)
        assert names['images'].shape == trained['images'].shape
        target = names.get('scores', names['labels'])
        assert target.shape in ((4,), (4, 10))
        net = nn.Sequential(nn.Conv2d(3, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        guide = cfcn_plugin.Guide(
            net, cfcn_plugin.guidance.CausalFocusLoss(), cfcn_plugin.FeatureHook('0')
        )
        with guide:
            logits = net(names['images'])
        assert guide.loss(names['images'], logits, target, names['masks']) > 0


def test_the_terms_that_are_logged_are_those_of_the_loss(trained):
    logged = {}
    with trained['guide']:
        logits = trained['model'](trained['images'])
    writer = SimpleNamespace(
        add_scalar=lambda name, *value: logged.update({name: value})
    )
    names = {**trained, 'logits': logits, 'writer': writer, 'step': 7}
    exec(LOGGING, names)
    assert {'loss_focus', 'focus', 'focus_best', 'focus_uniform'} <= set(logged)
    assert logged['loss_focus'] == (names['terms']['loss_focus'].detach(), 7)
    assert names['loss'] > F.cross_entropy(logits, names['labels'])


def test_the_metrics_measure_the_model_of_the_loop(trained):
    exec(METRICS, trained)
    found = {name: trained[name].compute() for name in ('focus', 'swaps', 'groups')}
    assert (found['focus']['guided'], found['swaps']['images']) == (2, 2)
    assert set(found['groups']) == {'on land', 'on water', 'mean', 'worst'}
    named = re.findall(r'^\| `(\w+)` \|(.*)', TEXT.split('## Metrics')[1], re.M)
    for (name, keys), metric in zip(named, ('focus', 'groups', 'swaps')):
        assert type(trained[metric]).__name__ == name
        assert {*found[metric]} - {'on land', 'on water'} <= {
            *re.findall(r'`(\w+)`', keys)
        }


def test_every_example_has_a_line():
    files = {file.name for file in (ROOT / 'examples').iterdir() if file.is_file()}
    assert files == set(re.findall(r'\(\.\./examples/(\S+?)\)', TEXT))


def test_the_other_options_are_those_of_the_mask_loader():
    known = inspect.signature(cfcn_plugin.masks.MaskLoader).parameters
    named = TEXT.split('`image_list`')[1].split('are those of')[0]
    assert {'image_list', *re.findall(r'`(\w+)`', named)} == set(known) - {
        'source',
        'warn',
    }
