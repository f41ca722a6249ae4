"""docs/distributed.md names what is there."""

import re
import subprocess
from pathlib import Path

from mmengine.registry import init_default_scope
from mmpretrain.registry import HOOKS, OPTIM_WRAPPERS

import cfcn_plugin.mm  # noqa: F401

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / 'docs' / 'distributed.md').read_text(encoding='utf-8')


def test_every_file_is_there():
    files = set(re.findall(r'\b(?:tools|tests|configs)/[\w/]+\.(?:py|sh)', TEXT))
    assert len(files) > 8
    assert not [name for name in files if not (ROOT / name).is_file()]


def test_every_script_is_on_the_page_with_its_arguments_and_variables():
    scripts = sorted((ROOT / 'tools').glob('[!_]*.sh'))
    assert len(scripts) == 4
    for script in scripts:
        told = subprocess.run([script], capture_output=True, text=True)
        assert told.returncode == 2
        usage = re.match(r'usage: (tools/.*?)\n?\s*\[', told.stderr, re.S).group(1)
        assert usage in TEXT
    shared = (ROOT / 'tools/_start.sh').read_text()
    variables = set(re.findall(r'\$\{([A-Z_]+):-', shared))
    assert {'NNODES', 'MASTER_ADDR', 'GPUS', 'CPU_ONLY'} <= variables
    for variable in variables:
        assert variable == 'PYTHONPATH' or f'`{variable}' in TEXT, variable


def test_what_it_names_is_registered():
    init_default_scope('mmpretrain')
    assert HOOKS.get('ReduceLogHook') and OPTIM_WRAPPERS.get('CPUAmpOptimWrapper')
