"""Sheets of guided maps that are logged during training."""

from unittest import mock

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from cfcn_plugin.mm.engine import FocusVisualizationHook


@pytest.fixture
def trained(waterbirds_root, monkeypatch, tmp_path):
    """A function that trains two epochs with these hooks and gives the weights."""
    monkeypatch.setenv('CFCN_DATA', str(waterbirds_root))

    def train(name, *hooks, **settings):
        cfg = Config.fromfile('configs/cfcn_efficientnet-lite0_waterbirds.py')
        cfg.merge_from_dict(
            {
                'model.backbone': dict(
                    _delete_=True,
                    type='CFCNNet',
                    filters=[4, 4],
                    strides=4,
                    dropout=0.1,
                ),
                'train_cfg.max_epochs': 2,
                'train_cfg.val_interval': 2,
                'randomness.seed': 0,
                'train_dataloader.num_workers': 0,
                'val_dataloader.num_workers': 0,
                **settings,
            }
        )
        for split in ('train', 'val', 'test'):
            cfg[f'{split}_dataloader'].collate_fn = dict(type='default_collate')
        cfg.custom_hooks = [*cfg.custom_hooks, *hooks]
        cfg.work_dir, cfg.experiment_name = str(tmp_path / name), name
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner.model.state_dict(), sorted((tmp_path / name).rglob('vis_image/*'))

    return train


def test_sheets_are_logged_and_training_is_not_changed(trained):
    plain, none = trained('without')
    hooked, files = trained(
        'with', dict(type='FocusVisualizationHook', interval=1, images=2)
    )
    assert none == [] and [f.name for f in files] == ['focus_1.png', 'focus_2.png']
    with Image.open(files[0]) as sheet:
        assert len(sheet.convert('RGB').getcolors(maxcolors=1 << 20)) > 50
    torch.testing.assert_close(hooked, plain, rtol=0, atol=0)


# ---- images that are not RGB of 8 bits -------------------------------------------

KINDS = {
    'grey': (1, 255, dict(color_type='grayscale')),
    'four channels': (4, 255, dict(color_type='unchanged')),
    '16 bits': (1, 65535, dict(color_type='unchanged')),
}


@pytest.fixture
def folder(tmp_path):
    """A function that writes bright boxes in images of a kind, and their masks."""

    def make(channels, top):
        rng = np.random.default_rng(0)
        for label in ('cow', 'dog'):
            mask = np.zeros((32, 32), bool)
            mask[8:24, 4:20] = True
            shape = (32, 32, channels) if channels > 1 else (32, 32)
            pixels = rng.integers(0, top // 3, shape, np.uint16)
            pixels[mask] = top
            for place, values in (
                ('images', pixels.astype(np.uint8 if top == 255 else np.uint16)),
                ('masks', mask),
            ):
                file = tmp_path / 'data' / place / label / '1.png'
                file.parent.mkdir(parents=True)
                Image.fromarray(values).save(file)
        return tmp_path / 'data'

    return make


def small_config(data, channels, top, load):
    pipeline = [
        dict(type='LoadImageFromFile', **load),
        dict(
            type='LoadActivationMask',
            source=dict(
                type='PNGMasks', data_root=str(data), images='images', masks='masks'
            ),
        ),
        dict(type='MaskAware', transform=dict(type='CenterCrop', crop_size=32)),
        dict(type='PackGuidedInputs'),
    ]
    loader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='CustomDataset', data_root=str(data / 'images'), pipeline=pipeline
        ),
    )
    return Config(
        dict(
            default_scope='mmpretrain',
            custom_imports=dict(imports=['cfcn_plugin.mm'], allow_failed_imports=False),
            model=dict(
                type='GuidedClassifier',
                guidance=dict(type='CausalFocusLoss'),
                data_preprocessor=dict(
                    type='GuidedDataPreprocessor',
                    num_classes=2,
                    mean=[top / 2] * channels,
                    std=[top / 4] * channels,
                ),
                backbone=dict(
                    type='CFCNNet', filters=[4], strides=4, in_channels=channels
                ),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', in_channels=4, num_classes=2),
            ),
            train_dataloader=loader,
            test_dataloader=loader,
            train_cfg=dict(by_epoch=True, max_epochs=1),
            test_cfg=dict(),
            test_evaluator=dict(type='Accuracy'),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
            visualizer=dict(
                type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')]
            ),
            custom_hooks=[dict(type='FocusVisualizationHook', images=2)],
            work_dir=str(data.parent / 'work'),
            log_level='WARNING',
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize('kind', KINDS)
def test_sheet_of_every_kind_of_image_is_drawn(folder, run_tool, tmp_path, kind):
    channels, top, load = KINDS[kind]
    data = folder(channels, top)
    cfg = small_config(data, channels, top, load)
    cfg.experiment_name = f'sheet_{kind}'
    Runner.from_cfg(cfg).train()
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()
    (sheet,) = (tmp_path / 'work').rglob('vis_image/focus_1.png')
    with Image.open(sheet) as image:
        assert len(image.convert('RGB').getcolors(maxcolors=1 << 20)) > 50
    cfg.dump(tmp_path / 'config.py')
    run_tool(
        'visualize.py',
        tmp_path / 'config.py',
        tmp_path / 'work' / 'epoch_1.pth',
        data / 'images' / 'cow' / '1.png',
        '--out',
        tmp_path / 'sheet.png',
    )
    assert (tmp_path / 'sheet.png').is_file()


@pytest.mark.parametrize('part', ['gallery.select_images', 'gallery.predict_saliency'])
def test_sheet_that_cannot_be_drawn_costs_no_checkpoint(
    folder, tmp_path, monkeypatch, part
):
    cfg = small_config(folder(3, 255), 3, 255, {})
    cfg.experiment_name = f'broken {part}'
    runner = Runner.from_cfg(cfg)

    def broken(*_):
        raise RuntimeError('no memory for a sheet')

    monkeypatch.setattr(f'cfcn_plugin.mm.visualization.{part}', broken)
    with mock.patch.object(runner.logger, 'warning') as warning:
        runner.train()
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()
    assert any(
        'drew no sheet of epoch 1: RuntimeError: no memory for a sheet' in call.args[0]
        for call in warning.call_args_list
    )


@pytest.mark.parametrize('name', ['interval', 'images'])
def test_numbers_must_be_positive(name):
    with pytest.raises(ValueError, match=f'`{name}` must be at least 1, got 0'):
        FocusVisualizationHook(**{name: 0})


def test_stock_model_is_refused(trained):
    with pytest.raises(TypeError, match='ImageClassifier.*guidance=None'):
        trained(
            'stock',
            dict(type='FocusVisualizationHook'),
            **{
                'model': dict(
                    _delete_=True,
                    type='ImageClassifier',
                    data_preprocessor=dict(type='GuidedDataPreprocessor'),
                    backbone=dict(type='CFCNNet', filters=[4], strides=4),
                    neck=dict(type='GlobalAveragePooling'),
                    head=dict(type='LinearClsHead', in_channels=4, num_classes=2),
                )
            },
        )
