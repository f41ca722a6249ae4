"""The allowed content of untrusted checkpoints; no other content is run."""

import errno
import pickle
import random
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import timm
import torch
from mask_formats import EPS
from mmcv.transforms import LoadImageFromFile
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, load_checkpoint
from mmengine.runner import checkpoint as mmengine_checkpoint
from PIL import Image

from cfcn_plugin.mm.models import GuidedTIMMBackbone
from cfcn_plugin.mm.safe_loading import (
    CheckpointError,
    UnsafeCheckpointError,
    checkpoint_errors,
    enable_safe_loading,
)

pytestmark = [pytest.mark.stacks, pytest.mark.usefixtures('safe_loading')]


def load(file):
    return CheckpointLoader.load_checkpoint(file, logger=None)


FORMATS = pytest.mark.parametrize('new', [True, False], ids=['zip', 'legacy'])


class Calls:
    """Calls a function with these arguments when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def ran(tmp_path):
    """The file that is there once the code of `evil` has run."""
    return tmp_path / 'ran'


@pytest.fixture
def evil(tmp_path, ran):
    path = tmp_path / 'evil.pth'
    torch.save(dict(state_dict={}, extra=Calls(exec, f'open({str(ran)!r}, "w")')), path)
    return path


def test_the_checkpoint_of_these_tests_runs_code_without_the_check(
    evil, ran, monkeypatch
):
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD')
    torch.load(evil, weights_only=False)
    assert ran.exists()


def test_refusal_names_file_and_function_and_what_to_do(evil, ran):
    with pytest.raises(UnsafeCheckpointError) as caught:
        load(str(evil))
    assert not ran.exists()
    for text in (
        f"'{evil}'",
        "call 'exec'",
        f'clean_checkpoint.py {evil} OUT',
        'docs/safety.md',
    ):
        assert text in str(caught.value)


@FORMATS
@pytest.mark.parametrize(
    'held,named',
    [
        (Calls(eval, '1'), 'eval'),
        (Calls(Path, '/tmp'), 'pathlib'),
        (Calls(getattr, torch._utils._rebuild_tensor, '__globals__'), 'getattr'),
        (Calls(getattr, HistoryBuffer, '__init__'), 'getattr'),
        (np.array([Path()]), 'ObjectDType'),
        (np.array([3], object), 'ObjectDType'),
    ],
)
def test_what_is_no_weight_and_no_number_is_refused(tmp_path, held, named, new):
    path = tmp_path / 'x.pth'
    torch.save(dict(held=held), path, _use_new_zipfile_serialization=new)
    with pytest.raises(UnsafeCheckpointError, match=named):
        load(str(path))


def test_a_bare_pickle_is_refused(tmp_path, ran):
    path = tmp_path / 'x.pth'
    path.write_bytes(pickle.dumps(Calls(exec, f'open({str(ran)!r}, "w")')))
    with pytest.raises(UnsafeCheckpointError, match='written by torch.save'):
        load(str(path))
    assert not ran.exists()


@FORMATS
def test_logs_and_random_states_come_back(tmp_path, new):
    buffer = HistoryBuffer()
    buffer.update(2.0), buffer.update(4.0)
    held = dict(
        python=random.getstate(),
        numpy=np.random.get_state(),
        torch=torch.get_rng_state(),
        classes=np.array(['cow', 'plane']),
        numbers=[np.float32(1.5), np.float64(2.5), np.int64(3), np.bool_(True)],
    )
    path = tmp_path / 'x.pth'
    torch.save(dict(held, log=buffer), path, _use_new_zipfile_serialization=new)
    loaded = load(str(path))
    assert loaded['log'].mean() == 3 and loaded['log'].statistics('max') == 4
    for key, value in held.items():
        assert str(loaded[key]) == str(value)


def test_a_class_that_the_user_allows_is_loaded(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(dict(where=slice(1, 3)), path)
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals([slice])
    try:
        assert load(str(path))['where'] == slice(1, 3)
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)
    with pytest.raises(UnsafeCheckpointError, match="call 'slice'"):
        load(str(path))


@pytest.mark.parametrize('content', [b'', b'hello', b'PK\3\4 and no more'])
def test_what_is_no_checkpoint_is_named(tmp_path, content):
    path = tmp_path / 'x.pth'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="x.pth' cannot be opened.*whole"):
        load(str(path))


def test_missing_file_stays_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(str(tmp_path / 'none.pth'))


def test_enabling_twice_is_enabling_once(evil):
    before = CheckpointLoader.load_checkpoint
    enable_safe_loading()
    assert CheckpointLoader.load_checkpoint is before
    with pytest.raises(UnsafeCheckpointError) as caught:
        load(str(evil))
    assert isinstance(caught.value.__cause__, pickle.UnpicklingError)


def test_importing_the_package_changes_nothing_in_the_process():
    code = """
import os, torch
from mmcv.image.geometric import cv2_interp_codes
from mmengine.runner import CheckpointLoader, checkpoint
from torchvision.transforms import autoaugment
def state():
    return [dict(os.environ), CheckpointLoader.load_checkpoint, torch.load,
            getattr(checkpoint, '_safe_torch_load', None), CheckpointLoader._schemes,
            dict(cv2_interp_codes), autoaugment._apply_op]
before = state()
import cfcn_plugin.mm, cfcn_plugin.mm.safe_loading
assert before == state()
from mmengine.logging import HistoryBuffer
assert HistoryBuffer not in torch.serialization.get_safe_globals()
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


# ---- ways to a checkpoint --------------------------------------------------


@pytest.fixture
def address(tmp_path, monkeypatch):
    """The folder's files by HTTP, with a cache of their own."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    server = ThreadingHTTPServer(
        ('127.0.0.1', 0), partial(Quiet, directory=str(tmp_path))
    )
    Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


def test_downloads_are_held_to_the_same(address, tmp_path, evil, ran):
    with pytest.raises(UnsafeCheckpointError, match='http://.*evil.pth'):
        load(f'{address}/evil.pth')
    assert not ran.exists()
    torch.save(dict(weight=torch.ones(2)), tmp_path / 'good.pth')
    assert load(f'{address}/good.pth')['weight'].sum() == 2


def test_initial_weights_of_a_config_are_held_to_the_same(evil, ran):
    from mmpretrain.registry import MODELS

    model = MODELS.build(
        dict(
            type='ResNet',
            depth=18,
            init_cfg=dict(type='Pretrained', prefix='backbone.', checkpoint=str(evil)),
        )
    )
    with pytest.raises(UnsafeCheckpointError, match="call 'exec'"):
        model.init_weights()
    assert not ran.exists()


def test_weights_of_a_timm_backbone_are_held_to_the_same(evil, ran):
    with pytest.raises(UnsafeCheckpointError, match="evil.pth' .* call '.*exec'"):
        GuidedTIMMBackbone('resnet10t', checkpoint_path=str(evil))
    with pytest.raises(RuntimeError, match='exec'):  # timm's own
        timm.create_model('resnet10t', checkpoint_path=str(evil))
    assert not ran.exists()


def test_the_fork_s_second_try_is_gone(evil, ran):
    if not hasattr(mmengine_checkpoint, '_safe_torch_load'):
        pytest.skip('of onedl-mmengine')
    with pytest.raises(pickle.UnpicklingError):
        mmengine_checkpoint._safe_torch_load(str(evil))
    with pytest.raises(pickle.UnpicklingError):
        mmengine_checkpoint._safe_torch_load(str(evil), weights_only=False)
    assert not ran.exists()


def test_switch_wins_over_the_caller_and_over_its_opposite(evil, ran):
    with pytest.raises(pickle.UnpicklingError):  # the fixture had set the opposite
        torch.load(evil, weights_only=False)
    assert not ran.exists()


def test_text_that_mmengine_runs_on_resuming_is_left_out(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(
        dict(
            meta=dict(config='raise SystemExit', epoch=3),
            state_dict=dict(weight=torch.ones(1, 2), bias=torch.zeros(1)),
        ),
        path,
    )
    loaded = load_checkpoint(torch.nn.Linear(2, 1), str(path), logger=None)
    assert loaded['meta'] == dict(epoch=3)


def test_stock_transforms_load_no_image_that_starts_a_program(tmp_path, ghostscript):
    file = tmp_path / 'a.jpg'
    file.write_bytes(EPS)
    enable_safe_loading()
    load_stock = LoadImageFromFile(imdecode_backend='pillow')
    with pytest.raises(OSError, match='cannot identify image file'):
        load_stock(dict(img_path=str(file)))
    Image.new('RGB', (6, 4)).save(file)
    assert load_stock(dict(img_path=str(file)))['img'].shape == (4, 6, 3)
    assert not ghostscript.exists()


@pytest.mark.parametrize('size', [0, 50, 5_000, 20_000, 60_000, 70_000, -50])
def test_cut_file_is_named_wherever_it_was_cut(tmp_path, size):
    path = tmp_path / 'x.pth'
    torch.save(dict(weight=torch.ones(25_000)), path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match="x.pth' cannot be opened .*is it whole"):
        load(str(path))


def test_error_of_reading_names_the_checkpoint(tmp_path):
    with (
        pytest.raises(OSError, match="Input/output error: 'x.pth'") as raised,
        checkpoint_errors('x.pth'),
    ):
        raise OSError(errno.EIO, 'Input/output error')
    assert raised.value.errno == errno.EIO
    with pytest.raises(FileNotFoundError, match='none.pth can not be found'):
        load(str(tmp_path / 'none.pth'))
