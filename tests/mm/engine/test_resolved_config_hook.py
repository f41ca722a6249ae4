"""Resolved values in a run's dumped config and checkpoints."""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import BaseLoop, Runner
from mmpretrain.registry import MODELS

from cfcn_plugin.mm.engine import ResolvedConfigHook


def model_config(**head):
    return dict(
        type='GuidedClassifier',
        backbone=dict(type='CFCNNet', filters=[4, 6], strides=2),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=2, **head),
    )


class OneImage(torch.utils.data.Dataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return dict(inputs=torch.zeros(3, 8, 8, dtype=torch.uint8))


class NoLoop(BaseLoop):
    """A loop that does nothing: the hook acts before it."""

    def __init__(self, runner, dataloader, evaluator):
        super().__init__(runner, dataloader)

    def run(self):
        return {}


def runner_of(model, work_dir, name, cfg=None):
    given = dict(
        model=model,
        work_dir=str(work_dir),
        test_dataloader=torch.utils.data.DataLoader(OneImage()),
        test_cfg=dict(type=NoLoop),
        test_evaluator=[],
        custom_hooks=[dict(type='ResolvedConfigHook')],
        default_scope='mmpretrain',
        experiment_name=name,
        log_level='ERROR',
    )
    return Runner(**given, cfg=cfg)


def dumped(work_dir):
    (file,) = work_dir.glob('*.py')
    return Config.fromfile(file)


@pytest.mark.parametrize('head', [{}, dict(in_channels=None)])
def test_width_is_written_into_config_and_dump(tmp_path, head):
    model = model_config(**head)
    runner = runner_of(model, tmp_path, f'open{len(head)}', Config(dict(model=model)))
    assert dumped(tmp_path).model.head.get('in_channels') is None

    runner.test()

    for cfg in (runner.cfg, dumped(tmp_path)):
        assert cfg.model.head.in_channels == 6
        assert cfg.model.head.num_classes == 2
    MODELS.build(dumped(tmp_path).model)


def test_config_that_left_nothing_open_is_not_touched(tmp_path):
    model = model_config(in_channels=6)
    runner = runner_of(model, tmp_path, 'closed', Config(dict(model=model)))
    before = runner.cfg.pretty_text
    runner.test()
    assert runner.cfg.pretty_text == before


def test_width_is_found_inside_test_time_augmentation(tmp_path):
    model = dict(type='AverageClsScoreTTA', module=model_config())
    runner = runner_of(model, tmp_path, 'tta', Config(dict(model=model)))
    runner.test()
    assert dumped(tmp_path).model.module.head.in_channels == 6
    assert 'head' not in dumped(tmp_path).model


def test_runner_that_was_built_without_a_config_is_left_alone(tmp_path):
    runner = runner_of(MODELS.build(model_config()), tmp_path, 'bare')
    runner.test()
    assert 'model' not in runner.cfg


def test_stock_model_is_left_alone(tmp_path):
    model = dict(type='ImageClassifier', backbone=dict(type='CFCNNet', filters=[4]))
    runner = runner_of(model, tmp_path, 'stock', Config(dict(model=model)))
    runner.test()
    assert 'head' not in runner.cfg.model


def test_hook_comes_before_those_that_save_the_config():
    assert ResolvedConfigHook.priority == 'VERY_HIGH'
