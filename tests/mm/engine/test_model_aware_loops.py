"""A test run with explanations; the loops do not change the model."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from cfcn_plugin.mm.evaluation import ExplanationFocus

METHODS = ('grad_cam', 'input_x_gradient')


ALL = [
    *(dict(type='ExplanationFocus', method=m) for m in METHODS),
    *(
        dict(type=name)
        for name in (
            'AUROC',
            'BackgroundSwapMetric',
            'BrightnessCurve',
            'Calibration',
            'ContrastCurve',
            'FocusMetric',
            'GroupAccuracy',
        )
    ),
]


def config(data, work_dir, metrics):
    """A small network on 7 images: no size of batches divides them."""
    cfg = Config.fromfile('configs/cfcn_efficientnet-lite0_waterbirds.py')
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        loader.update(batch_size=3, num_workers=0)
        loader.dataset.update(data_root=str(data / 'waterbirds100'), indices=7)
        for step in loader.dataset.pipeline:
            if step['type'] == 'LoadActivationMask':
                step['source']['data_root'] = loader.dataset.data_root
            elif step['type'] == 'MaskAware' and 'scale' in step['transform']:
                scale = step['transform']['scale']
                step['transform']['scale'] = 32 if scale == 112 else (32, 32)
    cfg.model = dict(
        type='GuidedClassifier',
        data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True),
        backbone=dict(type='CFCNNet', filters=[4, 6], strides=2, dropout=0.0),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=2, in_channels=None),
        guidance=dict(type='CausalFocusLoss'),
    )
    cfg.train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=1)
    cfg.val_cfg = dict(type='ModelAwareValLoop')
    cfg.test_cfg = dict(type='ModelAwareTestLoop')
    cfg.val_evaluator = cfg.test_evaluator = metrics
    cfg.work_dir = str(work_dir)
    cfg.randomness = dict(seed=0)
    cfg.log_level = 'WARNING'
    return cfg


@pytest.fixture
def cfg(tmp_path, waterbirds_root):
    return config(waterbirds_root, tmp_path, ALL)


@pytest.fixture(scope='module')
def run(tmp_path_factory, waterbirds_root):
    """What one process measures, and what it wrote to its log file."""
    folder = tmp_path_factory.mktemp('run')
    measured = Runner.from_cfg(config(waterbirds_root, folder, ALL)).test()
    (file,) = folder.glob('*/*.json')
    return measured, json.loads(file.read_text())


def test_measures_join_the_metrics_of_a_stock_loop(cfg, run):
    measured, _ = run
    for method in METHODS:
        assert 0 < measured[f'{method}/energy'] < 1
        assert measured[f'{method}/guided'] == 7
    assert measured['swap/images'] == 7
    cfg.test_cfg = dict()
    cfg.test_evaluator = [
        m
        for m in ALL
        if m['type'] in ('AUROC', 'Calibration', 'FocusMetric', 'GroupAccuracy')
    ]
    stock = Runner.from_cfg(cfg).test()
    assert {k: measured[k] for k in stock} == pytest.approx(stock)


def test_the_best_checkpoint_is_chosen_by_the_harmonic_accuracy(cfg):
    cfg.val_evaluator = [
        dict(type='BackgroundSwapMetric', conditions=['other_class'], hole='box')
    ]
    # no rule: the key says that greater is better
    cfg.default_hooks.checkpoint.save_best = 'swap/harmonic_accuracy'
    Runner.from_cfg(cfg).train()
    records = [
        json.loads(line)
        for file in Path(cfg.work_dir).glob('*/vis_data/scalars.json')
        for line in file.read_text().splitlines()
    ]
    measured = {
        record['step']: record['swap/harmonic_accuracy']
        for record in records
        if 'swap/harmonic_accuracy' in record
    }
    best = max(measured, key=measured.get)
    assert set(measured) == {1, 2}
    assert [file.name for file in Path(cfg.work_dir).rglob('best_*')] == [
        f'best_swap_harmonic_accuracy_epoch_{best}.pth'
    ]


def test_every_number_is_in_the_log_file(run):
    measured, logged = run
    assert {k: logged[k] for k in measured} == pytest.approx(measured)


def test_size_of_batches_does_not_matter(cfg, run):
    cfg.test_dataloader.batch_size = 5
    assert Runner.from_cfg(cfg).test() == pytest.approx(run[0], rel=1e-4)


def test_training_goes_as_with_the_stock_loop(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.message_hub.get_scalar('val/grad_cam/energy').current() > 0
    cfg.val_cfg, cfg.val_evaluator = dict(), [dict(type='FocusMetric')]
    stock = Runner.from_cfg(cfg)
    stock.train()
    for name, value in stock.model.state_dict().items():
        assert torch.equal(runner.model.state_dict()[name], value), name


def test_masks_and_maps_do_not_reach_the_metrics(cfg, monkeypatch):
    seen = []

    def process(self, data_batch, data_samples):
        seen.extend(data_samples)
        self.results.extend([None] * len(data_samples))

    monkeypatch.setattr(ExplanationFocus, 'process', process)
    Runner.from_cfg(cfg).test()
    assert len(seen) == 2 * 7
    for sample in seen:
        for value in sample.values():
            assert not isinstance(value, torch.Tensor) or value.numel() <= 2


def test_test_time_augmentation_is_refused(cfg):
    cfg.tta_model = dict(type='AverageClsScoreTTA')
    cfg.model = dict(cfg.tta_model, module=cfg.model)
    with pytest.raises(ValueError, match='test-time augmentation gives several'):
        Runner.from_cfg(cfg).test()
