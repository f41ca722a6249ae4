"""The output of tools/test.py, and the arguments that it refuses."""
import importlib.util
import json
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

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
            return {'accuracy/top1': 50., 'confusion_matrix/result': torch.eye(2)}

    monkeypatch.setattr(tool.Runner, 'from_cfg', lambda cfg: Tested())
    out = tmp_path / 'metrics.json'
    tool.test(None, Namespace(out=str(out), out_item='metrics'))
    assert json.loads(out.read_text()) == {
        'accuracy/top1': 50., 'confusion_matrix/result': [[1., 0.], [0., 1.]]}


@pytest.mark.parametrize('item, out, refused', [
    ('metrics', 'm.txt', True), ('pred', 'p.json', True), ('metrics', 'm.json', False),
    ('pred', 'p.pkl', False)])
def test_file_that_cannot_be_written_is_refused_before_the_test(
        tool, monkeypatch, capsys, item, out, refused):
    monkeypatch.setattr('sys.argv', [
        'test.py', 'c.py', 'e.pth', '--out', out, '--out-item', item])
    if not refused:
        assert tool.parse_args().out == out
        return
    with pytest.raises(SystemExit):
        tool.parse_args()
    assert f"--out '{out}' must end with one of .pkl" in capsys.readouterr().err


@pytest.mark.parametrize('own_pipeline', [False, True])
def test_test_time_augmentation_leaves_out_the_focus_of_single_images(
        tool, monkeypatch, tmp_path, own_pipeline):
    monkeypatch.setattr('sys.argv', [
        'test.py', 'c.py', 'e.pth', '--tta', '--work-dir', str(tmp_path)])
    cfg = Config.fromfile('configs/cfcn_resnet_pets.py')
    if own_pipeline:
        cfg.tta_pipeline = [dict(type='LoadImage'), dict(type='PackInputs')]
    tested = tool.merge_args(cfg, tool.parse_args())
    names = [metric['type'] for metric in tested.test_evaluator]
    assert names and 'FocusMetric' not in names
