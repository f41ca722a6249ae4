"""Stopping where the focus term stops being a number."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from cfcn_plugin.engine import FiniteFocusHook

NAN, INF = float('nan'), float('inf')


def batch(*files):
    return dict(inputs=[], data_samples=[dict(img_path=f) for f in files])


def outputs(focus, loss=0.5):
    return dict(loss=torch.tensor(loss), loss_focus=torch.tensor(focus))


def after(focus, iteration=4, files=('a.png', 'b.png'), **options):
    FiniteFocusHook(**options).after_train_iter(
        SimpleNamespace(iter=iteration), 0, batch(*files), outputs(focus))


@pytest.mark.parametrize('focus', [NAN, INF, -INF])
def test_what_is_no_number_stops_the_run_and_says_where(focus):
    with pytest.raises(
            FloatingPointError,
            match=rf"loss_focus is {focus} in iteration 5.*0\.5;.*'a\.png', 'b\.png'"):
        after(focus)


def test_message_names_the_first_files_only():
    with pytest.raises(FloatingPointError) as error:
        after(NAN, files=[f'{i}.png' for i in range(9)])
    assert '3.png' in str(error.value)
    assert '4.png' not in str(error.value)


@pytest.mark.parametrize('focus', [0., 0.7, 1e30])
def test_numbers_pass(focus):
    after(focus)


@pytest.mark.parametrize('given', [None, {}, dict(loss=torch.tensor(NAN))])
def test_run_without_guidance_is_ignored(given):
    FiniteFocusHook().after_train_iter(SimpleNamespace(iter=0), 0, batch(), given)


def test_terms_of_other_methods_are_watched_too():
    terms = dict(outputs(0.5), loss_right_reasons=torch.tensor(NAN))
    with pytest.raises(FloatingPointError, match='loss_right_reasons is nan'):
        FiniteFocusHook().after_train_iter(
            SimpleNamespace(iter=0), 0, batch('a.png'), terms)


class OnGPU:
    """Stands for a tensor on a GPU, and counts how often it is read."""
    device = SimpleNamespace(type='cuda')
    reads = 0

    def item(self):
        self.reads += 1
        return 0.5


def test_gpu_is_read_once_an_interval():
    focus, hook = OnGPU(), FiniteFocusHook(interval=3)
    for iteration in range(9):
        hook.after_train_iter(
            SimpleNamespace(iter=iteration), iteration, batch(),
            dict(loss=focus, loss_focus=focus))
    assert focus.reads == 3


def test_interval_must_be_positive():
    with pytest.raises(ValueError, match='`interval` must be at least 1, got 0'):
        FiniteFocusHook(interval=0)


# ---- in a run --------------------------------------------------------------


def run_config(root, work_dir, lr):
    for number in range(4):
        for folder, pixels in (('images', np.zeros((8, 8, 3), np.uint8)),
                               ('masks', np.eye(8, dtype=np.uint8))):
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
                guidance=dict(type='CausalFocusLoss')),
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
                    ])),
            train_cfg=dict(by_epoch=False, max_iters=3),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr)),
            default_hooks=dict(checkpoint=None),
            custom_hooks=[dict(type='FiniteFocusHook')]))


def test_a_run_is_stopped_in_the_iteration_after_its_weights_burst(tmp_path):
    runner = Runner.from_cfg(run_config(tmp_path / 'data', tmp_path / 'run', lr=INF))
    with pytest.raises(
            FloatingPointError,
            match=r'loss_focus is nan in iteration 2: .*1/1\.png.*1/3\.png'):
        runner.train()
    assert runner.iter == 1
