"""The site is built from these pages; `make docs` builds it."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / 'docs'))
import site_hooks

ROOT = Path(__file__).parents[1]
NAVIGATION = (ROOT / 'mkdocs.yml').read_text(encoding='utf-8').split('\nnav:')[1]
START = (ROOT / 'docs/getting-started.md').read_text(encoding='utf-8')


def test_every_page_is_in_the_navigation():
    pages = {
        file.relative_to(ROOT / 'docs').as_posix()
        for file in (ROOT / 'docs').rglob('*.md')
    }
    named = set(re.findall(r'([\w/-]+\.md)', NAVIGATION))
    assert pages <= named


def test_the_first_step_of_getting_started_trains():
    (code,) = re.findall(r'```python\n(.*?)```', START, re.S)
    torch.manual_seed(0)
    names = {}
    exec(code, names)
    assert names['loss'].isfinite()
    assert names['masks'].guided.sum() == 2


def shown(name):
    return SimpleNamespace(file=SimpleNamespace(src_uri=name))


@pytest.mark.parametrize(
    'page,link,expected',
    [
        ('index.md', 'docs/masks.md#pngmasks', 'masks.md#pngmasks'),
        (
            'index.md',
            'configs/cfcn_resnet_pets.py',
            'files/configs/cfcn_resnet_pets.py',
        ),
        ('loops.md', '../examples/timm_train.py', 'files/examples/timm_train.py'),
        ('loops.md', '../README.md', 'index.md'),
        ('results/waterbirds.md', '../pretrained.md', '../pretrained.md'),
        ('loops.md', 'https://pytorch.org', 'https://pytorch.org'),
    ],
)
def test_paths_in_the_repository_become_paths_on_the_site(page, link, expected):
    turned = site_hooks.on_page_markdown(f'a [b]({link}) c', shown(page), None, None)
    assert turned == f'a [b]({expected}) c'


def test_code_is_left_as_it_is():
    text = '```python\nplot[0](docs/masks.md)\n```'
    assert site_hooks.on_page_markdown(text, shown('index.md'), None, None) == text


def test_a_notebook_becomes_a_page(tmp_path):
    file = tmp_path / 'quick_start.ipynb'
    file.write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["# First"]},'
        ' {"cell_type": "code", "source": ["1 + 1"], "outputs": [{"data":'
        ' {"text/plain": ["2"]}}]}]}'
    )
    text = site_hooks._notebook(file)
    assert text.startswith('# First\n\n')
    assert '```python\n1 + 1\n```\n\n```text\n2\n```' in text
