"""Runs of a grid: in parallel, never repeated, with failures recorded."""

import multiprocessing
import os
import select
import shutil
import signal

import pytest
from grid_runs import log_of, run_grid

from cfcn_plugin.experiments import run
from cfcn_plugin.experiments.outcome import read_outcomes
from cfcn_plugin.experiments.prepare import read_config
from cfcn_plugin.experiments.read_grid import read_grid
from cfcn_plugin.folder_lock import lock_folder


def started(work_dir):
    """When each finished cell was finished."""
    return {f: f.stat().st_mtime_ns for f in work_dir.rglob('outcome.json')}


def test_each_cell_is_trained_and_tested_and_its_metrics_kept(
    make_grid, tools, tmp_path
):
    known = run_grid(
        make_grid(),
        tmp_path / 'w',
        tools,
        jobs=2,
        threads=3,
        gpus=['5', '7'],
        executor='local',
    )
    assert [o.status for o in known] == ['done', 'done']
    assert [o.metrics['right'] for o in known] == [90.0, 91.0]
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
    grid = make_grid("methods = dict(a='base.py')\naxes = dict(seed=[0, 1, 2])")
    known = run_grid(grid, tmp_path / 'w', tools)
    assert [o.status for o in known] == ['done'] * 3
    after = started(tmp_path / 'w')
    assert before.items() < after.items() and len(after) == 3


def test_changed_settings_are_no_finished_run(make_grid, tools, tmp_path):
    run_grid(make_grid(), tmp_path / 'w', tools)
    read_config.cache_clear()
    with pytest.raises(ValueError, match='model.lr: 1 became 2.*another --work-dir'):
        run_grid(
            make_grid(
                "methods = dict(a=dict(config='base.py', options={'model.lr': 2}))\n"
                'axes = dict(seed=[0, 1])'
            ),
            tmp_path / 'w',
            tools,
        )


def test_data_may_have_moved(make_grid, tools, tmp_path, monkeypatch):
    settings = "root = '{{$CFCN_DATA:data}}/x'"
    monkeypatch.setenv('CFCN_DATA', '/first')
    run_grid(make_grid(settings=settings), tmp_path / 'w', tools)
    before = started(tmp_path / 'w')
    read_config.cache_clear()
    monkeypatch.setenv('CFCN_DATA', '/second')
    run_grid(make_grid(settings=settings), tmp_path / 'w', tools)
    assert started(tmp_path / 'w') == before


TWO = "methods = dict(a='base.py', b=dict(config='base.py', options={'fail': True}))"


def test_failure_is_kept_with_its_log_and_stops_no_other(make_grid, tools, tmp_path):
    grid = make_grid(TWO + '\naxes = dict(seed=[0, 1])', 'fail = False')
    known = run_grid(grid, tmp_path / 'w', tools)
    by_method = {(o.cell.method, o.cell.seed): o for o in known}
    assert by_method['a', 0].status == by_method['a', 1].status == 'done'
    failed = by_method['b', 0]
    assert failed.status == 'failed' and failed.metrics is None
    assert failed.error.startswith('exit code 1; the end of')
    assert 'RuntimeError: no luck' in failed.error
    before = started(tmp_path / 'w')
    run_grid(grid, tmp_path / 'w', tools)
    assert started(tmp_path / 'w') == before


def test_failed_cell_is_run_again_when_asked_also_with_other_settings(
    make_grid, tools, tmp_path
):
    run_grid(make_grid(TWO, 'fail = False'), tmp_path / 'w', tools)
    read_config.cache_clear()
    mended = make_grid("methods = dict(a='base.py', b='base.py')", 'fail = False')
    known = run_grid(mended, tmp_path / 'w', tools, retry=True)
    assert [o.status for o in known] == ['done', 'done']
    assert 'no luck' not in log_of(known[1])


def test_failed_cell_keeps_its_training_when_asked(make_grid, tools, tmp_path):
    grid = make_grid("methods = dict(a='base.py')")
    test = (tools / 'test.py').read_text()
    (tools / 'test.py').write_text("raise RuntimeError('out of memory')")
    (failed,) = run_grid(grid, tmp_path / 'w', tools)
    assert failed.status == 'failed'
    (tools / 'test.py').write_text(test)
    (known,) = run_grid(grid, tmp_path / 'w', tools, resume=True, retry=True)
    assert known.status == 'done' and '--resume' in log_of(known)


def test_options_must_fit(make_grid, tools, tmp_path):
    for wrong, message in (
        (dict(jobs=0), '`jobs` must be at least 1, got 0'),
        (dict(executor='sge'), "`executor` must be one of .*, got 'sge'"),
        (dict(executor='slurm', gpus=['0']), 'request devices .* gpus_per_node=1'),
    ):
        with pytest.raises(ValueError, match=message):
            run_grid(make_grid(), tmp_path / 'w', tools, **wrong)
    assert not (tmp_path / 'w').exists()


# ---- SIGKILL in the middle -----------------------------------------------------


@pytest.fixture
def killed(make_grid, tools, tmp_path, monkeypatch):
    """A grid whose second cell was at work when the whole was killed."""
    if not hasattr(os, 'pidfd_open'):
        pytest.skip('runs end with their parent on Linux')
    make_grid(
        "methods = dict(a='base.py', b=dict(config='base.py', options={'slow': True}))",
        'slow = False',
    )
    os.mkfifo(tmp_path / 'started')
    monkeypatch.setenv('STARTED', str(tmp_path / 'started'))
    started = os.open(tmp_path / 'started', os.O_RDWR)
    grid = read_grid(tmp_path / 'grid.py')
    # a fork need not import the packages anew
    process = multiprocessing.get_context('fork').Process(
        target=run.run_grid, args=(grid, tmp_path / 'w', tools)
    )
    process.start()
    ready, *_ = select.select([started, process.sentinel], [], [])
    assert started in ready, 'the grid ended before its second cell began'
    child = os.pidfd_open(int(os.read(started, 20)))
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    select.select([child], [], [])  # until the run has ended
    assert not (tmp_path / 'w/b/data/run/run/day').exists()  # not by itself
    for descriptor in (started, child):
        os.close(descriptor)
    train = tools / 'train.py'
    train.write_text(train.read_text().replace("'slow=True'", "'never'"))
    return grid


def test_killed_grid_goes_on_and_the_half_run_cell_starts_anew(killed, tools, tmp_path):
    work_dir = tmp_path / 'w'
    assert [o.status for o in read_outcomes(killed, work_dir)] == ['done', 'pending']
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
    make_grid, tools, tmp_path
):
    grid = make_grid()
    for outcome in run_grid(grid, tmp_path / 'w', tools):
        (outcome.folder / 'outcome.json').unlink()
    known = run_grid(grid, tmp_path / 'w', tools, resume=True)
    assert [o.status for o in known] == ['done', 'done']
    assert all('--resume' in log_of(o) for o in known)


def test_work_dir_is_for_one_at_a_time(make_grid, tools, tmp_path):
    (tmp_path / 'w').mkdir()
    with (
        lock_folder(tmp_path / 'w'),
        pytest.raises(RuntimeError, match=f'in use by process {os.getpid()}'),
    ):
        run_grid(make_grid(), tmp_path / 'w', tools)
    run_grid(make_grid(), tmp_path / 'w', tools)


@pytest.mark.parametrize('content', [None, '', '{"seed": 1, '])
def test_settings_that_cannot_be_read_are_named_and_the_remedy_works(
    make_grid, tools, tmp_path, content
):
    grid = make_grid("methods = dict(a='base.py')")
    (known,) = run_grid(grid, tmp_path / 'w', tools)
    file = known.folder / 'identity.json'
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(ValueError, match=f'{file}.*Delete the folder'):
        run_grid(grid, tmp_path / 'w', tools)
    shutil.rmtree(known.folder)
    (known,) = run_grid(grid, tmp_path / 'w', tools)
    assert known.status == 'done'
