"""The output of tools/test.py, and the arguments that it refuses."""

import copy
import importlib.util
import json
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from cfcn_plugin.mm.datasets.wrappers import dataset_configs

TOOL = Path(__file__).parents[2] / 'tools' / 'test.py'


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location('tools_test', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_metrics_that_are_tensors_are_written(tool, monkeypatch, tmp_path):
    class Tested:
        def register_hook(self, hook):
            pass

        def test(self):  # a ConfusionMatrix gives its counts as a tensor
            return {'accuracy/top1': 50.0, 'confusion_matrix/result': torch.eye(2)}

    monkeypatch.setattr(tool.Runner, 'from_cfg', lambda cfg: Tested())
    out = tmp_path / 'metrics.json'
    tool.test(None, Namespace(out=str(out), out_item='metrics'))
    assert json.loads(out.read_text()) == {
        'accuracy/top1': 50.0,
        'confusion_matrix/result': [[1.0, 0.0], [0.0, 1.0]],
    }


@pytest.mark.parametrize(
    'item, out, refused',
    [
        ('metrics', 'm.txt', True),
        ('pred', 'p.json', True),
        ('metrics', 'm.json', False),
        ('pred', 'p.pkl', False),
    ],
)
def test_file_that_cannot_be_written_is_refused_before_the_test(
    tool, monkeypatch, capsys, item, out, refused
):
    monkeypatch.setattr(
        'sys.argv', ['test.py', 'c.py', 'e.pth', '--out', out, '--out-item', item]
    )
    if not refused:
        assert tool.parse_args().out == out
        return
    with pytest.raises(SystemExit):
        tool.parse_args()
    assert f"--out '{out}' must end with one of .pkl" in capsys.readouterr().err


@pytest.mark.parametrize('own_pipeline', [False, True])
def test_test_time_augmentation_leaves_out_the_focus_of_single_images(
    tool, monkeypatch, tmp_path, own_pipeline
):
    monkeypatch.setattr(
        'sys.argv', ['test.py', 'c.py', 'e.pth', '--tta', '--work-dir', str(tmp_path)]
    )
    cfg = Config.fromfile('configs/cfcn_resnet_pets.py')
    if own_pipeline:
        cfg.tta_pipeline = [dict(type='LoadImage'), dict(type='PackInputs')]
    tested = tool.merge_args(cfg, tool.parse_args())
    names = [metric['type'] for metric in tested.test_evaluator]
    assert names and 'FocusMetric' not in names


@pytest.mark.parametrize('own_pipeline', [False, True])
@pytest.mark.parametrize(
    'wrap',
    [
        lambda one: dict(type='RepeatDataset', times=2, dataset=one),
        lambda one: dict(type='ConcatDataset', datasets=[one, one]),
        lambda one: dict(
            type='ClassBalancedDataset',
            oversample_thr=0.1,
            dataset=dict(
                type='ConcatDataset',
                datasets=[one, dict(type='RepeatDataset', times=2, dataset=one)],
            ),
        ),
    ],
    ids=['repeated', 'joined', 'nested'],
)
def test_test_time_augmentation_reaches_wrapped_data_sets(
    tool, monkeypatch, tmp_path, wrap, own_pipeline
):
    monkeypatch.setattr(
        'sys.argv', ['test.py', 'c.py', 'e.pth', '--tta', '--work-dir', str(tmp_path)]
    )
    cfg = Config.fromfile('configs/cfcn_resnet_pets.py')
    plain = copy.deepcopy(cfg)
    if own_pipeline:
        for one in (cfg, plain):
            one.tta_pipeline = [dict(type='LoadImage'), dict(type='PackInputs')]
    expected = tool.merge_args(plain, tool.parse_args()).test_dataloader.dataset
    inner = cfg.test_dataloader.dataset
    cfg.test_dataloader.dataset = wrap(inner)
    cfg.val_dataloader.dataset = inner
    tested = tool.merge_args(cfg, tool.parse_args())
    found = [
        one.pipeline
        for _, one in dataset_configs(tested.test_dataloader.dataset)
        if 'pipeline' in one
    ]
    assert found and all(one == expected.pipeline for one in found)
    assert 'TestTimeAug' not in str(tested.val_dataloader)


def test_config_of_a_resumed_run_is_tested_and_not_resumed(tool, monkeypatch, tmp_path):
    monkeypatch.setattr(
        'sys.argv', ['test.py', 'c.py', 'e.pth', '--work-dir', str(tmp_path)]
    )
    cfg = tool.merge_args(Config(dict(resume=True)), tool.parse_args())
    assert (cfg.load_from, cfg.resume) == ('e.pth', False)


MODEL = dict(
    type='mmpretrain.ImageClassifier',
    backbone=dict(type='mmpretrain.LeNet5'),
    neck=None,
    head=dict(type='mmpretrain.LinearClsHead', num_classes=2, in_channels=84),
)


@pytest.mark.parametrize(
    'change,message',
    [
        (lambda weights: weights.pop('head.fc.bias'), 'missing keys.*head.fc.bias'),
        (lambda weights: weights.update(other=torch.ones(1)), 'unexpected key.*other'),
    ],
)
@pytest.mark.parametrize('tta', [False, True])
def test_weights_that_fit_in_part_are_refused_by_the_names_of_the_keys(
    tool, tmp_path, change, message, tta
):
    model = dict(type='mmpretrain.AverageClsScoreTTA', module=MODEL) if tta else MODEL
    runner = tool.StrictRunner.from_cfg(
        Config(
            dict(
                model=model,
                work_dir=str(tmp_path),
                default_scope='mmpretrain',
                experiment_name=f'strict_{tta}_{message[:4]}',
            )
        )
    )
    inner = runner.model.module if tta else runner.model
    weights = inner.state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'whole.pth')
    runner.load_checkpoint(str(tmp_path / 'whole.pth'))
    change(weights)
    torch.save(dict(state_dict=weights), tmp_path / 'part.pth')
    with pytest.raises(RuntimeError, match=f'(?s){message}'):
        runner.load_checkpoint(str(tmp_path / 'part.pth'))
