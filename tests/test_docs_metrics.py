"""What docs/metrics.md shows builds, and it leaves no metric or key out."""

import re
from pathlib import Path

import pytest
from mmpretrain.registry import LOOPS, METRICS

from cfcn_plugin.mm import evaluation

TEXT = (
    Path(__file__).parents[1].joinpath('docs', 'metrics.md').read_text(encoding='utf-8')
)
CODE = [eval(block) for block in re.findall(r'```python\n(.*?)```', TEXT, re.S)]
LINES = [c for c in CODE if 'type' in c]
WHOLE = [c for c in CODE if 'type' not in c]
EVALUATORS = [
    metric
    for config in WHOLE
    for split in ('val', 'test')
    for metric in config.get(f'{split}_evaluator', ())
]


@pytest.mark.parametrize('config', LINES + EVALUATORS, ids=str)
def test_every_config_line_builds(config):
    assert type(METRICS.build(dict(config))).__name__ == config['type']


@pytest.mark.parametrize('config', WHOLE, ids=range(len(WHOLE)))
def test_every_loop_is_one_of_ours(config):
    for split in ('val', 'test'):
        if f'{split}_cfg' in config:
            assert LOOPS.get(config[f'{split}_cfg']['type']).split == split


def test_every_metric_has_a_section_a_config_line_and_a_way_to_mislead():
    sections = dict(re.findall(r'^## (\w+)\n(.*?)(?=^## |\Z)', TEXT, re.S | re.M))
    shown = {config['type'] for config in LINES}
    for name in evaluation.__all__:
        assert '**Misleads' in sections[name], name
        assert name in shown
        assert f'[`{name}`](#{name.lower()})' in TEXT
        assert name in {c['type'] for c in WHOLE[0]['test_evaluator']}


def test_defaults_that_are_shown_are_those_of_the_code():
    for name in ('BrightnessCurve', 'ContrastCurve'):
        (config,) = (c for c in LINES if c['type'] == name)
        assert METRICS.build(config).factors == METRICS.build(dict(type=name)).factors
