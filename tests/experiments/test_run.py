"""Runs of a grid: several at once, never twice, and what fails is kept."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cfcn_plugin.experiments import processes
from cfcn_plugin.experiments.grid import read_grid
from cfcn_plugin.experiments.prepare import _read_once
from cfcn_plugin.experiments.run import outcomes, run_grid

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def changed_configs_are_read_anew():
    _read_once.cache_clear()


def log_of(outcome):
    return (outcome.folder / 'output.log').read_text()


def started(work_dir):
    """When each finished cell was finished."""
    return {f: f.stat().st_mtime_ns for f in work_dir.rglob('outcome.json')}


def wait_for(file):
    end = time.monotonic() + 20
    while not (file.is_file() and file.read_text()):
        assert time.monotonic() < end, f'{file} did not come'
        time.sleep(0.05)
    return file.read_text()


def is_running(pid):
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != 'Z'


def test_each_cell_is_trained_and_tested_and_its_metrics_kept(
        make_grid, tools, tmp_path):
    known = run_grid(make_grid(), tmp_path / 'w', tools, jobs=2, threads=3,
                     gpus=['5', '7'])
    assert [o.status for o in known] == ['done', 'done']
    assert [o.metrics['right'] for o in known] == [90., 91.]
    first = known[0]
    assert first.folder == tmp_path / 'w' / 'a' / 'data' / 'seed=0'
    assert 'threads 3 gpu 5' in log_of(first) and 'gpu 7' in log_of(known[1])
    # the checkpoint by its name: a folder may have moved
    assert first.checkpoint == first.folder / 'run' / 'epoch_1.pth'
    assert f'test {first.folder}/config.py {first.checkpoint}' in log_of(first)
    assert 'seed=1' in (known[1].folder / 'config.py').read_text()


def test_finished_cell_is_not_run_again_and_a_grid_may_grow(make_grid, tools, tmp_path):
    run_grid(make_grid(), tmp_path / 'w', tools)
    before = started(tmp_path / 'w')
    grid = make_grid("systems = dict(a='base.py')\naxes = dict(seed=[0, 1, 2])")
    known = run_grid(grid, tmp_path / 'w', tools)
    assert [o.status for o in known] == ['done'] * 3
    after = started(tmp_path / 'w')
    assert before.items() < after.items() and len(after) == 3


def test_changed_settings_are_no_finished_run(make_grid, tools, tmp_path):
    run_grid(make_grid(), tmp_path / 'w', tools)
    _read_once.cache_clear()
    with pytest.raises(ValueError, match='model.lr: 1 became 2.*another --work-dir'):
        run_grid(make_grid(
            "systems = dict(a=dict(config='base.py', options={'model.lr': 2}))\n"
            'axes = dict(seed=[0, 1])'), tmp_path / 'w', tools)


def test_data_may_have_moved(make_grid, tools, tmp_path, monkeypatch):
    settings = "root = '{{$CFCN_DATA:data}}/x'"
    monkeypatch.setenv('CFCN_DATA', '/first')
    run_grid(make_grid(settings=settings), tmp_path / 'w', tools)
    before = started(tmp_path / 'w')
    _read_once.cache_clear()
    monkeypatch.setenv('CFCN_DATA', '/second')
    run_grid(make_grid(settings=settings), tmp_path / 'w', tools)
    assert started(tmp_path / 'w') == before


TWO = "systems = dict(a='base.py', b=dict(config='base.py', options={'fail': True}))"


def test_failure_is_kept_with_its_log_and_stops_no_other(make_grid, tools, tmp_path):
    grid = make_grid(TWO + "\naxes = dict(seed=[0, 1])", 'fail = False')
    known = run_grid(grid, tmp_path / 'w', tools)
    by_system = {(o.cell.system, o.cell.seed): o for o in known}
    assert by_system['a', 0].status == by_system['a', 1].status == 'done'
    failed = by_system['b', 0]
    assert failed.status == 'failed' and failed.metrics is None
    assert failed.error.startswith('exit code 1; the end of')
    assert 'RuntimeError: no luck' in failed.error
    before = started(tmp_path / 'w')
    run_grid(grid, tmp_path / 'w', tools)
    assert started(tmp_path / 'w') == before


def test_failed_cell_is_run_again_when_asked_also_with_other_settings(
        make_grid, tools, tmp_path):
    run_grid(make_grid(TWO, 'fail = False'), tmp_path / 'w', tools)
    _read_once.cache_clear()
    mended = make_grid("systems = dict(a='base.py', b='base.py')", 'fail = False')
    known = run_grid(mended, tmp_path / 'w', tools, retry=True)
    assert [o.status for o in known] == ['done', 'done']
    assert 'no luck' not in log_of(known[1])


def test_failed_cell_keeps_its_training_when_asked(make_grid, tools, tmp_path):
    grid = make_grid("systems = dict(a='base.py')")
    test = (tools / 'test.py').read_text()
    (tools / 'test.py').write_text("raise RuntimeError('out of memory')")
    failed, = run_grid(grid, tmp_path / 'w', tools)
    assert failed.status == 'failed'
    (tools / 'test.py').write_text(test)
    known, = run_grid(grid, tmp_path / 'w', tools, resume=True, retry=True)
    assert known.status == 'done' and '--resume' in log_of(known)


def test_run_that_left_no_checkpoint_is_a_failure(make_grid, tools, tmp_path):
    grid = make_grid("systems = dict(a='base.py')", 'forgetful = True')
    known = run_grid(grid, tmp_path / 'w', tools)
    assert known[0].status == 'failed'
    assert 'it left no' in known[0].error and 'last_checkpoint' in known[0].error


def test_jobs_must_be_some(make_grid, tools, tmp_path):
    with pytest.raises(ValueError, match='`jobs` must be at least 1, got 0'):
        run_grid(make_grid(), tmp_path / 'w', tools, jobs=0)


# ---- kill -9 in the middle -----------------------------------------------------

START = '''
import sys
from pathlib import Path
from cfcn_plugin.experiments.grid import read_grid
from cfcn_plugin.experiments.run import run_grid
run_grid(read_grid(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
'''


@pytest.fixture
def killed(make_grid, tools, tmp_path):
    """A grid whose second cell was at work when the whole was killed."""
    make_grid("systems = dict(a='base.py', b=dict(config='base.py', "
              "options={'slow': True}))", 'slow = False')
    process = subprocess.Popen(
        [sys.executable, '-c', START, str(tmp_path / 'grid.py'), str(tmp_path / 'w'),
         str(tools)], env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    child = int(wait_for(tmp_path / 'w/b/data/run/run/pid'))
    process.send_signal(signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 5
    while is_running(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert sys.platform != 'linux' or not is_running(child)
    (tools / 'train.py').write_text(
        (tools / 'train.py').read_text().replace('time.sleep(60)', 'pass'))
    return read_grid(tmp_path / 'grid.py')


def test_killed_grid_goes_on_and_the_half_run_cell_starts_anew(killed, tools, tmp_path):
    work_dir = tmp_path / 'w'
    assert [o.status for o in outcomes(killed, work_dir)] == ['done', 'pending']
    note = work_dir / 'b/data/run/my_note.txt'
    note.write_text('mine')
    before = started(work_dir)
    known = run_grid(killed, work_dir, tools)
    assert [o.status for o in known] == ['done', 'done']
    assert before.items() < started(work_dir).items()
    assert '--resume' not in log_of(known[1])
    assert log_of(known[1]).count('train') == 1  # of the old log nothing is left
    assert note.read_text() == 'mine'


def test_half_run_cell_goes_on_from_its_checkpoint_when_asked(
        make_grid, tools, tmp_path):
    grid = make_grid()
    for outcome in run_grid(grid, tmp_path / 'w', tools):
        (outcome.folder / 'outcome.json').unlink()
    known = run_grid(grid, tmp_path / 'w', tools, resume=True)
    assert [o.status for o in known] == ['done', 'done']
    assert all('--resume' in log_of(o) for o in known)


def test_work_dir_is_for_one_at_a_time(make_grid, tools, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, 'PATIENCE', 0.)
    (tmp_path / 'w').mkdir()
    with processes.locked(tmp_path / 'w'), pytest.raises(
            RuntimeError, match=f'in use by process {os.getpid()}'):
        run_grid(make_grid(), tmp_path / 'w', tools)


def test_outcome_is_whole_or_not_there(make_grid, tools, tmp_path):
    known = run_grid(make_grid(), tmp_path / 'w', tools)
    assert not list((tmp_path / 'w').rglob('*.partial'))
    kept = json.loads((known[0].folder / 'outcome.json').read_text())
    assert set(kept) == {'status', 'metrics', 'seconds', 'error'}
