"""Grids whose runs are small scripts, so that what is around them is tested alone."""

import textwrap
from pathlib import Path

import pytest

from cfcn_plugin.experiments.prepare import read_config
from cfcn_plugin.experiments.read_grid import read_grid

# Does what the config says, then leaves what a training leaves
TRAIN = """
    import json, os, pathlib, signal, sys, time
    config, work_dir = sys.argv[1], pathlib.Path(sys.argv[3])
    print('train', *sys.argv[1:], 'threads', os.environ['OMP_NUM_THREADS'], 'gpu',
          os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True)
    text = open(config).read().replace(' ', '')
    work_dir.mkdir(exist_ok=True)
    if 'forgetful=True' not in text:
        (work_dir / 'last_checkpoint').write_text('/elsewhere/epoch_1.pth')
    if 'fail=True' in text:
        raise RuntimeError('no luck')
    if 'kill=True' in text:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(300)
    if 'slow=True' in text:
        pathlib.Path(os.environ['STARTED']).write_text(str(os.getpid()))
        time.sleep(300)
    if 'stop=True' in text and '--resume' not in sys.argv:
        sys.exit(75)
    if 'preempted=True' in text and '--resume' not in sys.argv:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
        os.killpg(os.getpgrp(), signal.SIGUSR2)  # the queue signals all processes
        os.kill(os.getppid(), signal.SIGUSR2)
        time.sleep(300)
    (work_dir / 'day' / 'vis_data').mkdir(parents=True, exist_ok=True)
    (work_dir / 'day' / 'vis_data' / 'scalars.json').write_text(
        json.dumps(dict(epoch=1, loss=2., step=5)) + '\\n'
        + json.dumps(dict(right=50., step=1)) + '\\n')
"""
TEST = """
    import json, sys
    print('test', *sys.argv[1:])
    seed = open(sys.argv[1]).read().split('seed=')[1][0]
    out = sys.argv[sys.argv.index('--out') + 1]
    with open(out, 'w') as stream:
        json.dump({'right': 90. + int(seed), 'focus/ratio': .25}, stream)
"""


@pytest.fixture(autouse=True)
def changed_configs_are_read_anew():
    read_config.cache_clear()


@pytest.fixture
def tools(tmp_path):
    folder = tmp_path / 'tools'
    folder.mkdir()
    for name, code in (('train.py', TRAIN), ('test.py', TEST)):
        (folder / name).write_text(textwrap.dedent(code))
    return folder


@pytest.fixture
def make_grid(tmp_path):
    """A grid of this text beside the config ``settings`` of the runs."""

    def make(
        text="methods = dict(a='base.py')\naxes = dict(seed=[0, 1])", settings=''
    ) -> Path:
        (tmp_path / 'base.py').write_text(
            f'randomness = dict(seed=0)\nmodel = dict(lr=1)\n{settings}\n'
        )
        file = tmp_path / 'grid.py'
        file.write_text(text)
        return read_grid(file)

    return make
