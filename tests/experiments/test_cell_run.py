"""The run of a cell ends with its metrics, a reason, or a checkpoint to go on from."""

import subprocess
import sys

import submitit
from grid_runs import log_of, run_grid


def test_process_of_a_cell_imports_no_torch():
    subprocess.run(
        [
            sys.executable,
            '-c',
            'import sys, cfcn_plugin.experiments.cell_run\n'
            "assert not {'torch', 'mmengine', 'matplotlib'} & set(sys.modules)",
        ],
        check=True,
    )


def test_run_that_left_no_checkpoint_is_a_failure(make_grid, tools, tmp_path):
    grid = make_grid("methods = dict(a='base.py')", 'forgetful = True')
    known = run_grid(grid, tmp_path / 'w', tools)
    assert known[0].status == 'failed'
    assert 'is missing' in known[0].error and 'last_checkpoint' in known[0].error


def test_training_that_was_asked_to_stop_has_not_failed_and_goes_on(
    make_grid, tools, tmp_path
):
    grid = make_grid("methods = dict(a='base.py')", 'stop = True')
    (stopped,) = run_grid(grid, tmp_path / 'w', tools)
    assert stopped.status == 'pending' and stopped.is_resumable
    (known,) = run_grid(grid, tmp_path / 'w', tools, resume=True)
    assert known.status == 'done' and '--resume' in log_of(known)


def test_run_whose_process_was_killed_is_a_failure(
    make_grid, tools, tmp_path, monkeypatch
):
    # seconds in which submitit waits for what a file system may yet show
    monkeypatch.setattr(submitit.LocalJob, '_results_timeout_s', 0)
    grid = make_grid("methods = dict(a='base.py')", 'kill = True')
    (known,) = run_grid(grid, tmp_path / 'w', tools, executor='local')
    assert known.status == 'failed'
    assert 'has not produced any output' in known.error and 'train' in known.error
