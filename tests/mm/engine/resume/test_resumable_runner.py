"""The runner's changes to configs, and the end of its runs."""

import errno
import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import RUNNERS

from cfcn_plugin.mm.engine import (
    AtomicCheckpointHook,
    CheckInvalidLossHook,
    ExactResumeHook,
    PreemptionHook,
    ResumableRunner,
    newest_checkpoint,
)


class At(Hook):
    """Does something after an iteration."""

    def __init__(self, iteration, action):
        self.iteration, self.action = iteration, action

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            self.action()


class InValidation(At):
    """The same, in the middle of the validation after it."""

    def after_train_iter(self, runner, *args, **kwargs):
        pass

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.iteration:
            self.action()


def start(cfg, at=None, action=None, hook=At):
    cfg.experiment_name = f'small_{id(cfg)}'
    runner = (
        RUNNERS.build(dict(cfg, runner_type='ResumableRunner'))
        if at is None
        else ResumableRunner.from_cfg(cfg)
    )
    if at is not None:
        runner.register_hook(hook(at, action))
    runner.train()
    return runner


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def test_stock_hooks_have_their_whole_counterparts(small_config, tmp_path):
    runner = ResumableRunner.from_cfg(small_config(tmp_path, exact_resume=False))
    kinds = [type(hook).__name__ for hook in runner.hooks]
    assert 'CheckpointHook' not in kinds
    for kind in (AtomicCheckpointHook, CheckInvalidLossHook, PreemptionHook):
        assert kinds.count(kind.__name__) == 1
    assert ExactResumeHook.__name__ not in kinds


def test_stock_hooks_that_ask_for_the_batch_size_get_it(small_config, tmp_path):
    cfg = small_config(tmp_path, exact_resume=False, train_cfg=dict(max_epochs=1))
    cfg.model.backbone = dict(type='TIMMBackbone', model_name='resnet10t')
    cfg.model.head.in_channels = 512
    cfg.custom_hooks = [dict(type='PreciseBNHook', num_samples=6)]
    assert start(cfg).train_dataloader.batch_size == 3


def test_signal_saves_exits_and_is_as_if_it_had_not_been(small_config, tmp_path):
    whole = start(small_config(tmp_path / 'whole'))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped:
        start(small_config(tmp_path / 'run'), 5, terminate)
    assert stopped.value.code == 75
    assert signal.getsignal(signal.SIGTERM) is before
    assert newest_checkpoint(tmp_path / 'run') == tmp_path / 'run' / 'iter_5.pth'
    runner = start(small_config(tmp_path / 'run', resume=True))
    torch.testing.assert_close(
        runner.model.state_dict(), whole.model.state_dict(), rtol=0, atol=0
    )


class OwnCheckpointHook(CheckpointHook):
    """A user's, which our runner does not know to call."""


def test_signal_where_nothing_can_be_saved_is_no_success(small_config, tmp_path):
    cfg = small_config(tmp_path, exact_resume=False)
    cfg.default_hooks.checkpoint.type = OwnCheckpointHook
    with pytest.raises(SystemExit) as stopped:
        start(cfg, 2, terminate)
    assert stopped.value.code == 128 + signal.SIGTERM


def test_signal_in_a_validation_leaves_it_and_exact_resume_makes_up_for_it(
    small_config, tmp_path
):
    whole = start(small_config(tmp_path / 'whole'))
    seen = []
    with pytest.raises(SystemExit) as stopped:
        start(
            small_config(tmp_path / 'run'),
            4,
            lambda: (seen.append(1), terminate()),
            InValidation,
        )
    assert stopped.value.code == 75
    assert len(seen) == 1 < len(whole.val_dataloader)
    assert newest_checkpoint(tmp_path / 'run') == tmp_path / 'run' / 'iter_4.pth'
    runner = start(small_config(tmp_path / 'run', resume=True))
    torch.testing.assert_close(
        runner.model.state_dict(), whole.model.state_dict(), rtol=0, atol=0
    )


def test_signal_in_a_validation_without_a_checkpoint_of_its_weights_saves_after_it(
    small_config, tmp_path
):
    with pytest.raises(SystemExit):
        start(
            small_config(tmp_path, default_hooks=dict(checkpoint=dict(interval=100))),
            4,
            terminate,
            InValidation,
        )
    assert newest_checkpoint(tmp_path) == tmp_path / 'iter_5.pth'


def test_damaged_newest_one_falls_back(small_config, tmp_path):
    with pytest.raises(SystemExit):
        start(small_config(tmp_path), 4, terminate)
    (tmp_path / 'iter_4.pth').write_bytes(b'PK half')
    assert start(small_config(tmp_path, resume=True)).iter == 12


def test_damaged_one_that_was_asked_for_is_refused(small_config, tmp_path):
    given = tmp_path / 'iter_4.pth'
    given.write_bytes(b'PK half')
    with pytest.raises(ValueError, match=r"iter_4\.pth' is damaged .*newest complete"):
        start(small_config(tmp_path, resume=True, load_from=str(given)))


def test_resume_without_a_checkpoint_begins(small_config, tmp_path):
    cfg = small_config(tmp_path, resume=True, train_cfg=dict(max_epochs=1))
    assert start(cfg).iter == 4


@pytest.fixture
def mount():
    """Mount a file system of half a MiB onto a folder, or freeze what is there."""
    mounted = []

    def call(*arguments):
        try:
            subprocess.run(['mount', *arguments], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip('may not mount a file system')

    def mount(folder, new=True, options='rw'):
        folder.mkdir(exist_ok=True)
        call(
            *(('-t', 'tmpfs', '-o', 'size=512k') if new else ('--bind',)),
            'tmpfs' if new else folder,
            folder,
        )
        mounted.append(folder)
        call('-o', f'remount,bind,{options}', folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(['umount', '--lazy', folder], check=True)


def test_full_disk_stops_and_leaves_checkpoints_whole(small_config, mount, tmp_path):
    small_disk = mount(tmp_path / 'disk')

    def fill():
        with pytest.raises(OSError), (small_disk / 'other').open('wb') as stream:
            while True:
                stream.write(bytes(1024))
                stream.flush()

    with pytest.raises(OSError, match='No space left on device') as error:
        start(small_config(small_disk / 'run'), 3, fill)
    assert error.value.errno == errno.ENOSPC
    assert 'use `--resume`' in str(error.value)
    (small_disk / 'other').unlink()
    assert newest_checkpoint(small_disk / 'run').name == 'iter_2.pth'
    assert not list(Path(small_disk / 'run').glob('.*.partial'))


def test_work_dir_that_turns_read_only_stops_the_run(small_config, mount, tmp_path):
    with pytest.raises(
        OSError,
        match='Read-only.*cannot write into .*free disk space, '
        'or make the folder writable, and use `--resume`',
    ):
        start(
            small_config(tmp_path / 'run'),
            3,
            lambda: mount(tmp_path / 'run', new=False, options='ro'),
        )
    assert newest_checkpoint(tmp_path / 'run') == tmp_path / 'run' / 'iter_2.pth'


def test_read_only_work_dir_is_refused_before_the_run(small_config, mount, tmp_path):
    disk = mount(tmp_path / 'disk', options='ro')
    with pytest.raises(
        OSError,
        match="Read-only.*cannot write into '.*another folder with `--work-dir`",
    ):
        start(small_config(disk / 'run'))


@pytest.mark.parametrize(
    'error',
    [
        PermissionError(errno.EACCES, 'Permission denied', '/data/image.jpg'),
        ConnectionResetError(errno.ECONNRESET, 'Connection reset by peer'),
        RuntimeError('Caught RuntimeError in DataLoader worker process 0.'),
    ],
    ids=repr,
)
def test_error_that_is_no_full_disk_and_no_dead_worker_is_left_alone(
    small_config, tmp_path, error
):
    def fail():
        raise error

    with pytest.raises(type(error)) as raised:
        start(small_config(tmp_path), 1, fail)
    assert raised.value is error
