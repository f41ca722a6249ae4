"""The weight of guidance follows the runner's iteration, also after a resume."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from cfcn_plugin.mm.engine import GuidanceWarmUpHook

MODEL = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4], strides=2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=2),
    guidance=[
        dict(type='CausalFocusLoss', loss_weight=2.0),
        dict(type='ActDiffLoss', loss_weight=0.5),
    ],
)


class Images(torch.utils.data.Dataset):
    """Four guided images."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        sample = DataSample().set_gt_label(index % 2)
        sample.set_field(True, 'guided')
        sample.set_field(np.eye(8, dtype=np.uint8), 'activation_mask')
        torch.manual_seed(index)
        return dict(inputs=torch.rand(3, 8, 8), data_samples=sample)


def as_lists(batch):
    return {key: [item[key] for item in batch] for key in batch[0]}


class Watch(GuidanceWarmUpHook):
    """Notes the factor of each iteration."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen = [*getattr(self, 'seen', []), runner.model.guide.weight]
        self.logged = runner.message_hub.get_scalar('train/guidance_weight').current()


def run(work_dir, hook, iters, name, **more):
    runner = Runner(
        model=copy.deepcopy(MODEL),
        work_dir=str(work_dir),
        train_dataloader=torch.utils.data.DataLoader(Images(), 2, collate_fn=as_lists),
        train_cfg=dict(by_epoch=False, max_iters=iters),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False)
        ),
        custom_hooks=[hook],
        default_scope='mmpretrain',
        experiment_name=name,
        log_level='ERROR',
        cfg=Config(dict(model=MODEL)),
        **more,
    )
    runner.train()
    return runner


def test_factor_grows_to_one_and_goes_on_after_a_resume(tmp_path):
    first, second = Watch(iters=4), Watch(iters=4)
    runner = run(tmp_path, first, 3, 'warm')
    assert first.seen == [0.25, 0.5, 0.75] and first.logged == 0.75
    assert 'guidance_weight' not in runner.model.state_dict()
    run(
        tmp_path,
        second,
        6,
        'warmer',
        resume=True,
        load_from=str(tmp_path / 'iter_3.pth'),
    )
    assert second.seen == [1, 1, 1]


@pytest.mark.slow
def test_epochs_are_counted_in_iterations(tmp_path):
    hook = Watch(epochs=2)
    run(tmp_path, hook, 5, 'epochs')
    assert hook.seen == [0.25, 0.5, 0.75, 1, 1]  # two batches an epoch


@pytest.mark.parametrize(
    'options, expected',
    [
        (dict(iters=2, begin=2), [0, 0, 0.5, 1, 1]),
        (dict(iters=0, begin=3), [0, 0, 0, 1, 1]),
        (dict(epochs=0, begin=1), [0, 0, 1, 1, 1]),
        (dict(epochs=1, begin=0.5), [0, 0.5, 1, 1, 1]),
    ],
)
def test_guidance_begins_when_the_option_says(tmp_path, options, expected):
    hook = Watch(**options)
    run(tmp_path, hook, 5, 'begin')
    assert hook.seen == expected and hook.logged == expected[-1]


@pytest.mark.slow
def test_the_beginning_is_kept_after_a_resume(tmp_path):
    run(tmp_path, Watch(iters=2, begin=3), 2, 'first')
    hook = Watch(iters=2, begin=3)
    run(
        tmp_path, hook, 5, 'second', resume=True, load_from=str(tmp_path / 'iter_2.pth')
    )
    assert hook.seen == [0, 0.5, 1]


def test_every_term_is_multiplied_and_nothing_that_is_logged():
    model = MODELS.build(copy.deepcopy(MODEL)).eval()
    data = model.data_preprocessor(as_lists([Images()[i] for i in range(2)]))
    losses = []
    for factor in (1.0, 0.25):
        torch.manual_seed(0)
        model.guide.weight = factor
        losses.append(model(**data, mode='loss'))
    full, quarter = losses
    for key in full:
        factor = 0.25 if key in ('loss_focus', 'loss_actdiff') else 1
        if key != 'total':
            torch.testing.assert_close(quarter[key], factor * full[key], msg=key)
    torch.testing.assert_close(
        quarter['total'],
        quarter['loss'] + quarter['loss_focus'] + quarter['loss_actdiff'],
    )


def test_the_baseline_is_left_alone_and_a_stock_model_is_refused():
    baseline = MODELS.build(copy.deepcopy(dict(MODEL, guidance=None)))
    hook, runner = GuidanceWarmUpHook(iters=4), SimpleNamespace(model=baseline, iter=0)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    assert baseline.guide.weight == 1
    with pytest.raises(ValueError, match='Linear has no guidance to warm up'):
        hook.before_train(SimpleNamespace(model=nn.Linear(1, 1)))


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(), 'either `iters` or `epochs`'),
        (dict(iters=3, epochs=1), 'either `iters` or `epochs`'),
        (dict(iters=0), '`iters` must be at least 1, got 0'),
        (dict(epochs=0), '`epochs` must be > 0, got 0'),
        (dict(epochs=1, begin=-1), '`begin` must be >= 0, got -1'),
        (dict(iters=1, begin=0.5), '`begin` must be a whole number, got 0.5'),
        (dict(iters=-1, begin=1), '`iters` must be at least 0, got -1'),
        (dict(epochs=-1, begin=1), '`epochs` must be >= 0, got -1'),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        GuidanceWarmUpHook(**options)
