"""What the package says with no mm stack."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

WITHOUT_MM = '''
import importlib.metadata as metadata
import sys
real = metadata.version
def version(name):
    if 'mmengine' in name or 'mmpretrain' in name:
        raise metadata.PackageNotFoundError(name)
    return real(name)
metadata.version = version
for name in ('mmengine', 'mmcv', 'mmpretrain'):
    sys.modules[name] = None
import timm, torch
import cfcn_plugin
model = timm.create_model('resnet10t').eval()
x = torch.rand(1, 3, 64, 64)
a = cfcn_plugin.last_stage_activation(model, x)
assert a.shape == (1, 512, 2, 2)
print(float(cfcn_plugin.functional.causal_focus_loss(a, torch.ones(1, 8, 8))) < 1)
try:
    cfcn_plugin.guide_config
except ImportError as error:
    print(error)
'''


def test_without_an_mm_stack_equations_and_hook_work_and_the_rest_says_what_to_do():
    done = subprocess.run([sys.executable, '-c', WITHOUT_MM], capture_output=True,
                          text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    first, message = done.stdout.splitlines()[-2:]
    assert first == 'True'
    assert 'cfcn_plugin.mm needs mmengine and mmpretrain' in message
    assert "pip install 'cfcn_plugin[onedl]'" in message
