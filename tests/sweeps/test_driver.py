"""The driver of the sweeps: every name gets a result, and none is checked twice."""

import json
import os
import signal

from driver import Sweep


def check(name):
    if name == 'raises':
        raise ValueError('no\nmore')
    if name == 'dies':
        os._exit(9)
    if name == 'hangs':
        signal.pause()
    return dict(verdict='ok', reason='', pid=os.getpid())


def test_each_name_has_a_process_and_what_goes_wrong_is_its_result(tmp_path):
    found = Sweep(tmp_path, limit=1).run(
        'a', ['raises', 'dies', 'hangs', 'x', 'y'], check
    )
    assert {name: result['reason'] for name, result in found.items()} == dict(
        raises='ValueError: no',
        dies='died with exit code 9',
        hangs='took longer than 1 s',
        x='',
        y='',
    )
    assert len({os.getpid(), found['x']['pid'], found['y']['pid']}) == 3


def test_killed_sweep_goes_on_where_it_was(tmp_path):
    first = Sweep(tmp_path, only='x*').run('a', ['x1', 'x2', 'y'], check)
    assert list(first) == ['x1', 'x2']
    with (tmp_path / 'a.jsonl').open('a') as record:
        record.write('{"name": "y", "verd')  # the kill cut the line short
    found = Sweep(tmp_path).run('a', ['x1', 'x2', 'y'], check)
    assert {**found, **first} == found and found['y']['verdict'] == 'ok'


def test_names_are_listed_once(tmp_path):
    assert Sweep(tmp_path).listed('a', lambda: {'y', 'x'}) == ['x', 'y']
    assert Sweep(tmp_path).listed('a', lambda: 1 / 0) == ['x', 'y']
    assert json.loads((tmp_path / 'a_names.json').read_text()) == ['x', 'y']
