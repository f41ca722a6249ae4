"""What ``python -m cfcn_plugin`` says."""

import runpy
from pathlib import Path

import cfcn_plugin
from cfcn_plugin import stack

ROOT = Path(__file__).parents[1]


def said(capsys):
    runpy.run_module('cfcn_plugin', run_name='__main__')
    return dict(
        line.split(maxsplit=1)
        if not line.startswith('mm stack')
        else ('stack', line.split(maxsplit=2)[2])
        for line in capsys.readouterr().out.splitlines()
    )


def test_version_and_places_are_said(capsys):
    found = said(capsys)
    assert found['cfcn_plugin'] == cfcn_plugin.__version__
    assert found['configs:'] == str(ROOT / 'configs')
    assert found['tools:'] == str(ROOT / 'tools')
    assert (Path(found['configs:']) / 'cfcn_resnet_pets.py').is_file()


def test_a_missing_mm_stack_is_said_with_its_remedy(capsys, monkeypatch):
    monkeypatch.setattr(stack, 'find_stack', lambda: None)
    assert said(capsys)['stack'] == f'none; {stack.INSTALL}'
