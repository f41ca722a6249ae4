"""The scripts that start several processes, and the clean end of the processes."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
import torch
from gloo_processes import start
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel

TOOLS = Path(__file__).parents[2] / 'tools'
# what stands for a scheduler and for Python: prints its arguments
ECHO = '#!/bin/sh\nfor argument in "$@"; do echo "$argument"; done\n'


def run(script, *arguments, **env):
    """The lines that a script's last command gets, or an error."""
    return subprocess.run(
        [str(TOOLS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )


@pytest.fixture
def fakes(tmp_path):
    for name in ('srun', 'python'):
        (tmp_path / name).write_text(ECHO)
        (tmp_path / name).chmod(0o755)
    return dict(PATH=f'{tmp_path}:{os.environ["PATH"]}')


@pytest.mark.parametrize(
    'script,given',
    [
        ('dist_train.sh', ['c.py']),
        ('dist_test.sh', ['c.py', 'e.pth']),
        ('slurm_train.sh', ['p', 'j', 'c.py']),
        ('slurm_test.sh', ['p', 'j', 'c.py']),
    ],
)
def test_missing_argument_shows_the_usage(script, given):
    done = run(script, *given)
    assert done.returncode == 2
    assert f'usage: tools/{script} ' in done.stderr and not done.stdout


def test_one_machine_meets_at_a_free_port(fakes):
    lines = run(
        'dist_train.sh', 'c.py', 2, '--cfg-options', 'a="b c"', **fakes
    ).stdout.splitlines()
    assert lines == [
        '-m',
        'torch.distributed.run',
        '--standalone',
        '--nproc-per-node=2',
        f'{TOOLS}/train.py',
        'c.py',
        '--launcher',
        'pytorch',
        '--cfg-options',
        'a="b c"',
    ]


def test_several_machines_meet_where_the_environment_says(fakes):
    lines = run(
        'dist_test.sh',
        'c.py',
        'e.pth',
        8,
        '--out',
        'o.pkl',
        NNODES='2',
        NODE_RANK='1',
        MASTER_ADDR='10.0.0.1',
        PORT='1234',
        **fakes,
    ).stdout.splitlines()
    assert lines == [
        '-m',
        'torch.distributed.run',
        '--nnodes=2',
        '--node-rank=1',
        '--master-addr=10.0.0.1',
        '--master-port=1234',
        '--nproc-per-node=8',
        f'{TOOLS}/test.py',
        'c.py',
        'e.pth',
        '--launcher',
        'pytorch',
        '--out',
        'o.pkl',
    ]


@pytest.mark.parametrize('env,gres', [({}, ['--gres=gpu:4']), (dict(CPU_ONLY='1'), [])])
def test_slurm_is_asked_for_tasks_and_gpus(fakes, env, gres):
    lines = run(
        'slurm_train.sh',
        'p',
        'j',
        'c.py',
        'w',
        '--amp',
        GPUS='16',
        GPUS_PER_NODE='4',
        SRUN_ARGS='-x bad',
        **env,
        **fakes,
    )
    assert lines.stdout.splitlines() == [
        '--partition=p',
        '--job-name=j',
        *gres,
        '--ntasks=16',
        '--ntasks-per-node=4',
        '--cpus-per-task=5',
        '--kill-on-bad-exit=1',
        '-x',
        'bad',
        'python',
        '-u',
        f'{TOOLS}/train.py',
        'c.py',
        '--work-dir',
        'w',
        '--launcher',
        'slurm',
        '--amp',
    ]


def test_slurm_tests_a_checkpoint(fakes):
    lines = run('slurm_test.sh', 'p', 'j', 'c.py', 'e.pth', **fakes).stdout
    assert lines.splitlines()[-5:] == [
        f'{TOOLS}/test.py',
        'c.py',
        'e.pth',
        '--launcher',
        'slurm',
    ]


# ---- processes ------------------------------------------------------------------


@pytest.mark.parametrize(
    'launcher,starter',
    [
        ('pytorch', 'dist_train.sh or torchrun'),
        ('slurm', 'slurm_train.sh'),
        ('mpi', 'mpirun'),
    ],
)
def test_launcher_that_did_not_start_this_process_is_named(
    monkeypatch, launcher, starter
):
    from _processes import processes

    monkeypatch.delenv('RANK', raising=False)
    with (
        pytest.raises(ValueError, match=f'--launcher {launcher}.*{starter}'),
        processes(Config(dict(launcher=launcher))),
    ):
        pass


@pytest.mark.parametrize(
    'backend, error, left',
    [
        ('nccl', ValueError, False),
        ('nccl', SystemExit, True),
        ('gloo', ValueError, True),
    ],
)
def test_error_of_one_rank_does_not_wait_for_others(monkeypatch, backend, error, left):
    # NCCL's group is destroyed by all together, and the others may wait elsewhere
    from _processes import processes

    calls = []
    monkeypatch.setattr('torch.distributed.is_initialized', lambda: True)
    monkeypatch.setattr('torch.distributed.get_backend', lambda: backend)
    monkeypatch.setattr(
        'torch.distributed.destroy_process_group', lambda: calls.append(1)
    )
    with pytest.raises(error), processes(Config(dict(launcher='none'))):
        raise error
    assert bool(calls) == left


class Sum:
    """A run whose model adds over the processes."""

    def __init__(self, **wrapper):
        wrapper.pop('type')
        self.model = MMDistributedDataParallel(torch.nn.Linear(3, 3), **wrapper)
        self.loop = self  # a cycle, as mmengine's are

    def run(self, fails):
        self.model(torch.ones(2, 3)).sum().backward()
        total = torch.ones(1)
        torch.distributed.all_reduce(total)
        if fails:
            raise SystemExit(7)
        return total.item()


def rank_of_slurm(rank, port, fails, file):
    """Write the sum of the ranks, and how many threads of gloo are left."""
    from _processes import processes

    os.environ.update(
        SLURM_PROCID=str(rank),
        SLURM_NTASKS='2',
        SLURM_LOCALID=str(rank),
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    cfg = Config(dict(launcher='slurm', find_unused_parameters=True))
    total = None
    try:
        with processes(cfg):
            assert cfg.model_wrapper_cfg.find_unused_parameters
            total = Sum(**cfg.model_wrapper_cfg).run(fails)
    finally:
        names = [
            task.joinpath('comm').read_text()
            for task in Path('/proc/self/task').iterdir()
        ]
        file.write_text(f'{total} {sum("gloo" in name for name in names)}')


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='reads /proc')
@pytest.mark.parametrize('fails, code, total', [(False, 0, 2.0), (True, 7, None)])
def test_slurm_runs_on_cpus_and_leaves_no_thread_that_could_abort(
    tmp_path, fails, code, total
):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    started = [
        start(rank_of_slurm, rank, port, fails, tmp_path / str(rank))
        for rank in range(2)
    ]
    for rank, process in enumerate(started):
        process.join()
        assert process.exitcode == code
        assert (tmp_path / str(rank)).read_text() == f'{total} 0'
