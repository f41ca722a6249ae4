"""Stopping at a loss that is NaN or infinite."""

import json
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from cfcn_plugin.mm.engine import CheckInvalidLossHook, ResumableRunner

NAN, INF = float('nan'), float('inf')


@pytest.fixture
def after(tmp_path):
    """Run the hook after an iteration with these losses."""

    def run_hook(losses, iteration=4, files=('a.png', 'b.png'), hook=None):
        losses = {k: torch.as_tensor(v) for k, v in (losses or {}).items()}
        batch = dict(inputs=[], data_samples=[dict(img_path=f) for f in files])
        (hook or CheckInvalidLossHook()).after_train_iter(
            SimpleNamespace(iter=iteration, work_dir=str(tmp_path)), 0, batch, losses
        )

    return run_hook


@pytest.mark.parametrize('focus', [NAN, INF, -INF])
def test_what_is_no_number_stops_the_run_and_says_where(after, focus):
    with pytest.raises(
        FloatingPointError,
        match=rf"loss_focus is {focus} in iteration 5 \(loss 0\.5;.*'a\.png', 'b",
    ):
        after(dict(loss=0.5, loss_focus=focus))


def test_stock_losses_are_watched_too(after):
    with pytest.raises(FloatingPointError, match='loss is nan in iteration 5'):
        after(dict(loss=NAN, accuracy=1.0))


def test_message_names_the_first_files_and_the_report_all(after, tmp_path):
    with pytest.raises(FloatingPointError) as error:
        after(dict(loss=NAN), files=[f'{i}.png' for i in range(9)])
    assert '3.png' in str(error.value)
    assert '4.png' not in str(error.value)
    report = json.loads((tmp_path / 'nonfinite_loss_rank0.json').read_text())
    assert report['files'][8] == '8.png'


@pytest.mark.parametrize(
    'losses',
    [None, {}, dict(loss=0.0), dict(loss=1e30, loss_focus=0.7), dict(active_maps=NAN)],
)
def test_numbers_pass_and_what_is_no_loss_is_not_checked(after, losses):
    after(losses)


@pytest.mark.parametrize(
    'batch, names',
    [
        (dict(data_samples=[dict(sample_idx=7), dict(img_path='a')]), r"\[7, 'a'\]"),
        (dict(inputs=[]), r'\[\]'),
        ([1, 2], r'\[\]'),
    ],
)
def test_batches_of_any_kind_are_named_as_far_as_they_can_be(batch, names, tmp_path):
    run = SimpleNamespace(iter=0, work_dir=str(tmp_path))
    with pytest.raises(FloatingPointError, match=f'begins with {names}'):
        CheckInvalidLossHook().after_train_iter(
            run, 0, batch, dict(loss=torch.tensor(NAN))
        )


def test_gpu_is_read_once_an_interval():
    hook = CheckInvalidLossHook(interval=3)
    batch = dict(data_samples=[])
    with mock.patch.object(hook, 'check') as check:
        for iteration in range(9):
            hook.after_train_iter(
                SimpleNamespace(iter=iteration),
                0,
                batch,
                # a tensor without values, which cannot be read
                dict(loss=torch.empty((), device='meta')),
            )
    assert check.call_count == 3


def test_batch_is_the_first_bad_one_of_an_interval(tmp_path):
    hook = CheckInvalidLossHook(interval=9)
    runner = SimpleNamespace(work_dir=str(tmp_path))
    with mock.patch.object(hook, 'check'):  # which a GPU is spared in an interval
        for runner.iter, loss in enumerate((1.0, INF, NAN)):
            hook.after_train_iter(
                runner,
                runner.iter,
                dict(data_samples=[dict(img_path='a.png')]),
                dict(loss=torch.tensor(loss)),
            )
    with pytest.raises(FloatingPointError, match='loss is inf in iteration 2'):
        hook.after_train(runner)


def test_interval_must_be_positive():
    with pytest.raises(ValueError, match='`interval` must be at least 1, got 0'):
        CheckInvalidLossHook(interval=0)


# ---- in a run --------------------------------------------------------------


def run_config(root, work_dir, lr):
    for number in range(4):
        for folder, pixels in (
            ('images', np.zeros((8, 8, 3), np.uint8)),
            ('masks', np.eye(8, dtype=np.uint8)),
        ):
            file = root / folder / str(number % 2) / f'{number}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels + np.uint8(folder == 'images')).save(file)
    source = dict(type='PNGMasks', masks='masks', images='images', data_root=str(root))
    return Config(
        dict(
            default_scope='mmpretrain',
            experiment_name='finite',
            log_level='ERROR',
            work_dir=str(work_dir),
            model=dict(
                type='GuidedClassifier',
                backbone=dict(type='CFCNNet', filters=[4], strides=2),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', num_classes=2),
                guidance=dict(type='CausalFocusLoss'),
            ),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(
                    type='CustomDataset',
                    data_root=str(root),
                    data_prefix='images',
                    serialize_data=False,
                    pipeline=[
                        dict(type='LoadImageFromFile'),
                        dict(type='LoadActivationMask', source=source),
                        dict(type='PackGuidedInputs'),
                    ],
                ),
            ),
            train_cfg=dict(by_epoch=False, max_iters=3),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr)),
            default_hooks=dict(checkpoint=None),
            custom_hooks=[dict(type='CheckInvalidLossHook')],
        )
    )


def test_a_run_is_stopped_in_the_iteration_after_its_weights_burst(tmp_path):
    runner = Runner.from_cfg(run_config(tmp_path / 'data', tmp_path / 'run', lr=INF))
    with pytest.raises(
        FloatingPointError,
        match=r'loss is nan, loss_focus is nan in iteration 2 .*1/1\.png.*1/3\.p',
    ):
        runner.train()
    assert runner.iter == 1
    report = json.loads((tmp_path / 'run/nonfinite_loss_rank0.json').read_text())
    assert report['iteration'] == 2 and report['losses']['loss_focus'] == 'nan'
    assert [Path(file).name for file in report['files']] == ['1.png', '3.png']


def test_weights_that_burst_with_a_finite_loss_are_not_saved(tmp_path):
    cfg = run_config(tmp_path / 'data', tmp_path / 'run', lr=INF)
    cfg.default_hooks = dict(
        checkpoint=dict(
            type='CheckpointHook', by_epoch=False, interval=1, max_keep_ckpts=1
        )
    )
    with pytest.raises(
        FloatingPointError,
        match=r'after 1 iterations \d of \d weights are NaN or infinite, first .*'
        'backbone.layers.0.0.weight.*no checkpoint is written.*learning rate',
    ):
        ResumableRunner.from_cfg(cfg).train()
    assert not list((tmp_path / 'run').glob('*.pth'))
