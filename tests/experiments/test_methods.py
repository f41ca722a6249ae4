"""A method is described by what its config says."""

from pathlib import Path

import pytest
from mmengine.config import Config

from cfcn_plugin.experiments.grid import Cell, Grid
from cfcn_plugin.experiments.methods import describe_methods, describe_model
from cfcn_plugin.experiments.outcome import Outcome

FOCUS = dict(type='CausalFocusLoss', loss_weight=0.5)


@pytest.mark.parametrize(
    'model, expected',
    [
        (dict(), 'guidance: none'),
        (dict(guidance=FOCUS), 'guidance: CausalFocusLoss(loss_weight=0.5)'),
        (
            dict(guidance=[FOCUS, dict(type='GAINLoss')]),
            'guidance: CausalFocusLoss(loss_weight=0.5) + GAINLoss',
        ),
        (
            dict(head=dict(type='CausalFocusHead', num_classes=2, mode='class')),
            "guidance: none; head: CausalFocusHead(mode='class')",
        ),
        (
            dict(train_cfg=dict(augments=dict(type='BackgroundSwap', prob=0.5))),
            'guidance: none; batch augments: BackgroundSwap(prob=0.5)',
        ),
    ],
)
def test_a_model_is_its_guidance_head_and_augments(model, expected):
    assert describe_model(Config(dict(model=model))) == expected


def test_a_method_names_its_config_and_its_baseline_and_counts_once(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text("model = dict(guidance=dict(type='GAINLoss'))")
    grid = Grid('g', (), ('seed',), 'cnn', {}, 't', {'swap': 'cfcn'})
    known = [
        Outcome(Cell(method, 'd', file, {}, dict(seed=seed)), Path('none'))
        for method in ('cnn', 'cfcn', 'swap')
        for seed in (0, 1)
    ]
    assert describe_methods(grid, known) == {
        'cnn': 'guidance: GAINLoss; mine.py',
        'cfcn': 'guidance: GAINLoss; mine.py; compared with cnn',
        'swap': 'guidance: GAINLoss; mine.py; compared with cfcn',
    }
