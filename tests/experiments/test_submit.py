"""An executor gets a cell with its options, and a queue each cell once."""

import os
import textwrap

import pytest
import submitit
from grid_runs import log_of, run_grid

# Slurm's commands as far as submitit needs them, for one job at a time
SLURM = {
    'sbatch': """
        cp "$1" $SLURM/script
        cat "$1" >> $SLURM/submitted
        (setsid sh $SLURM/script &) > /dev/null 2>&1
        echo 'Submitted batch job 7'
        """,
    'srun': """
        while [ "${1#--}" != "$1" ]; do
            case $1 in --unbuffered) shift;; *) shift 2;; esac
        done
        export SLURM_JOB_ID=7 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 \\
            SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_JOB_NODELIST=node
        exec "$@" >> $SLURM/log 2>&1
        """,
    'sacct': """
        printf 'JobID|State|NodeList\\n7|RUNNING|node\\n'
        """,
    'scontrol': """
        echo "$@" >> $SLURM/requeued
        (setsid sh $SLURM/script &) > /dev/null 2>&1
        """,
}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    folder = tmp_path / 'slurm'
    folder.mkdir()
    for name, code in SLURM.items():
        (folder / name).write_text('#!/bin/sh\n' + textwrap.dedent(code))
        (folder / name).chmod(0o755)
    submitit.SlurmJob.watcher.clear()  # of the jobs of other tests
    monkeypatch.setenv('SLURM', str(folder))
    monkeypatch.setenv('PATH', f'{folder}:{os.environ["PATH"]}')
    return folder


def test_queue_gets_each_cell_with_its_options(make_grid, tools, tmp_path, slurm):
    (known,) = run_grid(
        make_grid("methods = dict(a='base.py')"),
        tmp_path / 'w',
        tools,
        executor='slurm',
        options=dict(timeout_min=30, cpus_per_task=2, slurm_partition='few'),
    )
    assert known.status == 'done' and 'threads 2' in log_of(known)
    script = (slurm / 'submitted').read_text()
    for line in (
        '--job-name=a_data_run',
        '--partition=few',
        '--time=30',
        '--cpus-per-task=2',
    ):
        assert f'#SBATCH {line}\n' in script


def test_run_that_the_queue_stops_is_queued_again_and_goes_on(
    make_grid, tools, tmp_path, slurm
):
    grid = make_grid("methods = dict(a='base.py')", 'preempted = True')
    (known,) = run_grid(grid, tmp_path / 'w', tools, executor='slurm')
    assert known.status == 'done'
    assert (slurm / 'requeued').read_text() == 'requeue 7\n'
    assert log_of(known).count('train ') == 2 and '--resume' in log_of(known)


@pytest.mark.slow
def test_training_that_stops_in_a_queue_is_queued_again(
    make_grid, tools, tmp_path, slurm
):
    grid = make_grid("methods = dict(a='base.py')", 'stop = True')
    (known,) = run_grid(grid, tmp_path / 'w', tools, executor='slurm')
    assert known.status == 'done' and '--resume' in log_of(known)
    assert (slurm / 'requeued').is_file()


@pytest.mark.slow
def test_jobs_that_are_queued_already_are_not_queued_again(
    make_grid, tools, tmp_path, slurm
):
    grid = make_grid("methods = dict(a='base.py')")
    (known,) = run_grid(grid, tmp_path / 'w', tools, executor='slurm')
    # as a killed command leaves a job that has yet to run
    (known.folder / 'outcome.json').rename(tmp_path / 'later')
    (result,) = (known.folder / 'job').glob('*_result.pkl')
    result.unlink()
    (slurm / 'sacct').write_text(
        f'#!/bin/sh\nmv {tmp_path}/later {known.folder}/outcome.json 2> /dev/null\n'
        f'printf "JobID|State|NodeList\\n7|$(cat {slurm}/state)|node\\n"\n'
        f'echo COMPLETED > {slurm}/state\n'
    )
    (slurm / 'state').write_text('RUNNING')
    (again,) = run_grid(grid, tmp_path / 'w', tools, executor='slurm')
    assert again.status == 'done'
    assert (slurm / 'submitted').read_text().count('--job-name') == 1


@pytest.mark.slow
def test_runs_see_the_devices_of_the_environment(
    make_grid, tools, tmp_path, monkeypatch
):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', 'GPU-3')
    known = run_grid(make_grid(), tmp_path / 'w', tools, executor='local')
    assert 'gpu GPU-3' in log_of(known[0])
