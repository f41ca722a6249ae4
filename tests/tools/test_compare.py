import json
from pathlib import Path

import compare
import pytest


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


def test_a_page_s_table_is_replaced_and_its_text_kept(tmp_path):
    page = tmp_path / 'page.md'
    compare.write(page, 'one')
    assert page.read_text() == '<!-- table -->\none\n<!-- end of table -->\n'
    page.write_text('# Title\n' + page.read_text() + 'Found: nothing.\n')
    compare.write(page, 'two')
    assert page.read_text() == ('# Title\n<!-- table -->\ntwo\n'
                                '<!-- end of table -->\nFound: nothing.\n')
    page.write_text('mine')
    with pytest.raises(SystemExit, match='to put the table between'):
        compare.write(page, 'three')
    assert page.read_text() == 'mine'


def test_a_finished_run_is_not_run_again(tmp_path):
    (tmp_path / compare.DONE).write_text(json.dumps({'group/worst': 2}))
    metrics = compare.train_and_test(Path('no_such_config.py'), 0, tmp_path, [])
    assert metrics == {'group/worst': 2}


def test_a_failed_run_stops_and_shows_its_log(tmp_path):
    with pytest.raises(SystemExit, match='no_such_config.py.*exit code 1.*output.log'):
        compare.train_and_test(Path('no_such_config.py'), 0, tmp_path, [])
