import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / 'tools' / 'compare.py'
spec = importlib.util.spec_from_file_location('compare', PATH)
compare = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compare)


def test_table_has_mean_spread_and_number_of_seeds():
    results = {'a': [dict(x=0.1), dict(x=0.2), dict(x=0.3)], 'b': [dict(x=0.5)]}
    lines = compare.table(results, [('share', 'x', 100)]).splitlines()
    assert lines[0] == '| config | share | seeds |'
    assert lines[2] == '| a | 20.0 ± 10.0 | 3 |'
    assert lines[3] == '| b | 50.0 | 1 |'


@pytest.mark.parametrize('text,expected', [
    ('worst=group/worst', ('worst', 'group/worst', 1.)),
    ('focus=focus/ratio*100', ('focus', 'focus/ratio', 100.)),
    ('group/worst', ('group/worst', 'group/worst', 1.)),
])
def test_metric_has_title_key_and_factor(text, expected):
    assert compare.parse_metric(text) == expected


def test_last_metrics_are_the_last_validation_s(tmp_path):
    log = tmp_path / '2026' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"loss": 1.0, "lr": 0.1}\n{"group/worst": 1, "step": 1}\n'
                   '{"loss": 0.5, "lr": 0.1}\n{"group/worst": 2, "step": 2}\n')
    assert compare.last_metrics(tmp_path)['group/worst'] == 2
