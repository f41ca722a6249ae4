"""The code of docs/repair.md runs as it stands there, and its options exist."""

import re
import subprocess
import sys
from pathlib import Path

import torch
import torchvision
from torch.utils.data import TensorDataset

ROOT = Path(__file__).parents[1]
TEXT = ROOT.joinpath('docs', 'repair.md').read_text(encoding='utf-8')


def test_the_code_repairs_a_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)  # of the order of images
    model = torchvision.models.resnet18(num_classes=2)
    torch.save(model.state_dict(), 'trained.pth')
    masks = torch.zeros(12, 32, 32)
    masks[:, 8:24, 8:24] = 1
    dataset = TensorDataset(torch.rand(12, 3, 32, 32), torch.arange(12) % 2, masks)
    (code,) = re.findall(r'```python\n(.*?)```', TEXT, re.S)
    exec(code, dict(dataset=dataset))
    assert '12 guided images, 0 left out' in capsys.readouterr().out
    before, after = (
        torch.load(name, weights_only=True) for name in ('trained.pth', 'repaired.pth')
    )
    assert {key for key in before if not torch.equal(before[key], after[key])} == {
        'fc.weight',
        'fc.bias',
    }


def test_the_options_of_the_tool_exist():
    known = subprocess.run(
        [sys.executable, 'tools/repair.py', '--help'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    named = set(re.findall(r'--[a-z-]+', TEXT))
    assert len(named) > 4
    assert all(option in known for option in named)
