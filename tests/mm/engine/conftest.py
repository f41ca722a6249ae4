"""A small run in which all that a run may have draws or counts."""

from unittest import mock

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image


@pytest.fixture(scope='module')
def quick():
    """What takes longer than a small run: looking for compilers."""
    with mock.patch('mmengine.runner.runner.collect_env', return_value={}):
        yield


@pytest.fixture(scope='session')
def small_data(tmp_path_factory):
    """11 images of two classes with masks: the last batch is a smaller one."""
    root = tmp_path_factory.mktemp('small')
    rng = np.random.default_rng(0)
    for number in range(11):
        image = rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)
        mask = np.zeros((12, 12), np.uint8)
        mask[2:8, number % 4 : 8] = 255
        for folder, pixels in (('images', image), ('masks', mask)):
            file = root / folder / str(number % 2) / f'{number:02d}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file)
    return root


@pytest.fixture(scope='module')
def small_config(quick, small_data):
    """A config by changes to it; four iterations an epoch, three epochs."""

    def make(work_dir, **changes) -> Config:
        source = dict(
            type='PNGMasks', masks='masks', images='images', data_root=str(small_data)
        )
        data = dict(
            type='CustomDataset', data_root=str(small_data), data_prefix='images'
        )
        load = [
            dict(type='LoadImageFromFile'),
            dict(type='LoadActivationMask', source=source),
        ]
        cfg = Config(
            dict(
                default_scope='mmpretrain',
                custom_imports=dict(imports=['cfcn_plugin.mm']),
                experiment_name='small',
                log_level='WARNING',
                work_dir=str(work_dir),
                exact_resume=True,
                env_cfg=dict(dist_cfg=dict(backend='gloo')),
                model=dict(
                    type='GuidedClassifier',
                    data_preprocessor=dict(num_classes=2),
                    backbone=dict(
                        type='CFCNNet', filters=[4, 6], strides=1, dropout=0.3
                    ),
                    neck=dict(type='GlobalAveragePooling'),
                    head=dict(type='LinearClsHead', num_classes=2),
                    guidance=dict(type='CausalFocusLoss'),
                    train_cfg=dict(
                        augments=[
                            dict(type='Mixup', alpha=0.5),
                            dict(type='BackgroundSwap', prob=0.5),
                        ]
                    ),
                ),
                train_dataloader=dict(
                    batch_size=3,
                    num_workers=0,
                    persistent_workers=False,
                    collate_fn=dict(type='default_collate'),
                    sampler=dict(type='DefaultSampler', shuffle=True),
                    dataset=dict(
                        data,
                        pipeline=[
                            *load,
                            dict(
                                type='MaskAware',
                                transform=dict(type='RandomResizedCrop', scale=8),
                            ),
                            dict(
                                type='MaskAware',
                                transform=dict(type='RandomFlip', prob=0.5),
                            ),
                            dict(type='ColorJitter', brightness=0.5),
                            dict(type='PackGuidedInputs'),
                        ],
                    ),
                ),
                val_dataloader=dict(
                    batch_size=4,
                    num_workers=0,
                    persistent_workers=False,
                    collate_fn=dict(type='default_collate'),
                    sampler=dict(type='DefaultSampler', shuffle=False),
                    dataset=dict(data, pipeline=[*load, dict(type='PackGuidedInputs')]),
                ),
                val_evaluator=[dict(type='Accuracy'), dict(type='FocusMetric')],
                train_cfg=dict(by_epoch=True, max_epochs=3, val_interval=1),
                val_cfg=dict(),
                optim_wrapper=dict(
                    optimizer=dict(type='AdamW', lr=1e-2), accumulative_counts=2
                ),
                param_scheduler=[
                    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=3),
                    dict(type='StepLR', step_size=1, gamma=0.5),
                    dict(type='ReduceOnPlateauLR', monitor='focus/ratio', patience=1),
                ],
                default_hooks=dict(
                    logger=dict(type='LoggerHook', interval=1),
                    checkpoint=dict(
                        type='CheckpointHook',
                        by_epoch=False,
                        interval=2,
                        max_keep_ckpts=2,
                        save_best='focus/ratio',
                        rule='greater',
                    ),
                ),
                custom_hooks=[
                    dict(type='EMAHook', momentum=0.1),
                    dict(type='GuidanceWarmUpHook', iters=6),
                    dict(type='DeadMapHook', interval=2),
                ],
            )
        )
        cfg.merge_from_dict(changes)
        return cfg

    return make
