"""Sheets of guided maps that are logged during training."""
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
        cfg.merge_from_dict({
            'model.backbone': dict(_delete_=True, type='CFCNNet', filters=[4, 4],
                                   strides=4, dropout=0.1),
            'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2,
            'randomness.seed': 0, 'train_dataloader.num_workers': 0,
            'val_dataloader.num_workers': 0, **settings
        })
        for split in ('train', 'val', 'test'):
            cfg[f'{split}_dataloader'].collate_fn = dict(type='default_collate')
        cfg.custom_hooks = [*cfg.custom_hooks, *hooks]
        cfg.work_dir, cfg.experiment_name = str(tmp_path / name), name
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner.model.state_dict(), sorted(
            (tmp_path / name).rglob('vis_image/*'))

    return train


def test_sheets_are_logged_and_training_is_not_changed(trained):
    plain, none = trained('without')
    hooked, files = trained(
        'with', dict(type='FocusVisualizationHook', interval=1, images=2))
    assert none == [] and [f.name for f in files] == ['focus_1.png', 'focus_2.png']
    with Image.open(files[0]) as sheet:
        assert len(sheet.convert('RGB').getcolors(maxcolors=1 << 20)) > 50
    torch.testing.assert_close(hooked, plain, rtol=0, atol=0)


@pytest.mark.parametrize('name', ['interval', 'images'])
def test_numbers_must_be_positive(name):
    with pytest.raises(ValueError, match=f'`{name}` must be at least 1, got 0'):
        FocusVisualizationHook(**{name: 0})


def test_stock_model_is_refused(trained):
    with pytest.raises(TypeError, match='ImageClassifier.*guidance=None'):
        trained('stock', dict(type='FocusVisualizationHook'), **{
            'model': dict(
                _delete_=True, type='ImageClassifier',
                data_preprocessor=dict(type='GuidedDataPreprocessor'),
                backbone=dict(type='CFCNNet', filters=[4], strides=4),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', in_channels=4, num_classes=2))})
