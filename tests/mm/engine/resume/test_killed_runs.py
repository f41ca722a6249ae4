"""Runs in real processes that are killed by SIGKILL or SIGTERM."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from cfcn_plugin.mm.engine.resume.newest_checkpoint import newest_checkpoint
from cfcn_plugin.mm.engine.resume.preemption_hook import STOPPED

ROOT = Path(__file__).parents[4]
PATIENCE = 1800.0  # seconds; more is a hang, on a busy machine too
# Runs train.py where each file takes `slow` seconds to come onto the disk, and each
# batch of a validation `slow_validation`, while which the file `validating` is there
SLOW_RUN = """
import os, pathlib, runpy, sys, time
from cfcn_plugin.mm.engine import ModelAwareValLoop as ValLoop
sync, validate = os.fsync, ValLoop.run_iter
slow, slow_validation = map(float, os.environ['SLOW'].split())

def run_iter(*batch):
    pathlib.Path(os.environ['VALIDATING']).touch()
    time.sleep(slow_validation)
    validate(*batch)

os.fsync = lambda handle: (time.sleep(slow), sync(handle))
ValLoop.run_iter = run_iter
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name='__main__')
"""


class Job:
    """A training of one or more processes."""

    def __init__(
        self, config, work_dir, *arguments, processes=1, slow=0.0, slow_validation=0.0
    ):
        command = [
            sys.executable,
            '-c',
            SLOW_RUN,
            ROOT / 'tools/train.py',
            config,
            '--work-dir',
            work_dir,
            *arguments,
        ]
        env = {
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'PYTHONPATH': str(ROOT),
            'SLOW': f'{slow} {slow_validation}',
            'VALIDATING': f'{work_dir}.validating',
        }
        if processes > 1:
            command += ['--launcher', 'pytorch']
            with socket.socket() as free:
                free.bind(('127.0.0.1', 0))
                env |= dict(
                    MASTER_ADDR='127.0.0.1',
                    WORLD_SIZE=str(processes),
                    MASTER_PORT=str(free.getsockname()[1]),
                )
        self.work_dir = Path(work_dir)
        self.logs = [self.work_dir.with_suffix(f'.{rank}') for rank in range(processes)]
        self.processes = []
        for rank, log in enumerate(self.logs):
            with log.open('w') as stream:
                self.processes.append(
                    subprocess.Popen(
                        list(map(str, command)),
                        stdout=stream,
                        stderr=subprocess.STDOUT,
                        env={**env, 'RANK': str(rank), 'LOCAL_RANK': str(rank)}
                        if processes > 1
                        else env,
                    )
                )

    @property
    def log(self) -> str:
        return '\n'.join(log.read_text() for log in self.logs)

    def wait(self) -> list[int]:
        try:
            return [p.wait(PATIENCE) for p in self.processes]
        finally:
            for process in self.processes:
                process.kill()

    def until(self, happened) -> bool:
        """Wait for it, or for the end."""
        end = time.monotonic() + PATIENCE
        while not happened() and time.monotonic() < end:
            if any(p.poll() is not None for p in self.processes):
                return False
            time.sleep(0.005)
        return True

    def saves(self) -> bool:
        return any(self.work_dir.glob('.iter_*.partial'))

    def saved(self, count=1):
        return lambda: len(list(self.work_dir.glob('iter_*.pth'))) >= count

    def workers(self) -> list[int]:
        pid = self.processes[0].pid
        children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
        return [int(child) for child in children]


@pytest.fixture
def config(small_config, tmp_path):
    """The small config as a file, by changes; with data workers."""

    def write(**changes):
        file = tmp_path / 'small.py'
        cfg = small_config('unused', **changes)
        cfg.pop('work_dir')
        cfg.log_level = 'INFO'
        cfg.dump(file)
        return file

    return write


def final(work_dir, last='iter_12.pth'):
    checkpoint = torch.load(Path(work_dir) / last, weights_only=False)
    return {
        key: checkpoint[key]
        for key in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers')
    }


def same(a, b):
    assert a.pop('param_schedulers') == b.pop('param_schedulers')
    torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize('processes, kills, workers', [(1, 6, 0), (1, 4, 2), (2, 4, 0)])
def test_killed_at_random_it_ends_as_if_it_never_was(
    config, tmp_path, processes, kills, workers
):
    file = config(
        train_dataloader=dict(
            num_workers=workers,
            persistent_workers=workers > 0,
            batch_size=3 if processes == 1 else 2,
        ),
        train_cfg=dict(max_epochs=3 if processes == 1 else 4),
    )
    flags = ['--exact-resume', '--resume']
    whole = Job(file, tmp_path / 'whole', *flags, processes=processes)
    assert whole.wait() == [0] * processes, whole.log[-4000:]
    rng = random.Random(0)
    done = 0
    for number in range(4 * kills):
        job = Job(file, tmp_path / 'killed', *flags, processes=processes, slow=0.2)
        # every second one while a checkpoint is being written
        alive = (
            job.until(job.saves)
            if number % 2
            else job.until(lambda job=job: 'Checkpoints will be saved' in job.log)
        )
        if alive:
            time.sleep(rng.uniform(0.0, 0.2 if number % 2 else 2.0))
            rng.choice(job.processes).kill()
        codes = job.wait()  # the others must not wait for it forever
        if codes == [0] * processes:
            break
        done += 1
        assert -signal.SIGKILL in codes, job.log[-4000:]
        if done == kills:
            job = Job(file, tmp_path / 'killed', *flags, processes=processes)
            assert job.wait() == [0] * processes, job.log[-4000:]
            break
    assert done >= kills // 2
    same(final(tmp_path / 'killed'), final(tmp_path / 'whole'))


@pytest.mark.slow
@pytest.mark.parametrize('processes', [1, 2])
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGUSR1])
def test_told_to_stop_all_save_and_exit_with_their_own_code(
    config, tmp_path, processes, number
):
    file = config(
        train_cfg=dict(max_epochs=500),
        default_hooks=dict(checkpoint=dict(interval=10**6)),
    )
    job = Job(file, tmp_path / 'run', '--exact-resume', processes=processes)
    assert job.until(lambda: 'Epoch(train)' in job.log), job.log[-4000:]
    job.processes[-1].send_signal(number)  # to one of them only
    assert job.wait() == [STOPPED] * processes, job.log[-4000:]
    saved = newest_checkpoint(tmp_path / 'run')
    assert f'got {number.name}, stopped after iteration {saved.stem[5:]}:' in job.log


@pytest.mark.slow
@pytest.mark.parametrize('processes', [1, 2])
def test_told_to_stop_in_a_validation_all_leave_it(config, tmp_path, processes):
    file = config(val_dataloader=dict(batch_size=1))
    job = Job(
        file,
        tmp_path / 'run',
        '--exact-resume',
        processes=processes,
        slow_validation=5.0,
    )
    first = len(range(0, 11, 3 * processes))  # iterations of an epoch
    assert job.until((tmp_path / 'run.validating').is_file), job.log[-4000:]
    job.processes[-1].send_signal(signal.SIGTERM)
    assert job.wait() == [STOPPED] * processes, job.log[-4000:]
    assert f'got SIGTERM, stopped after iteration {first}:' in job.log
    assert 'accuracy/top1' not in job.log  # it did not come to its end


@pytest.mark.slow
def test_stopped_run_ends_as_if_it_never_was(config, tmp_path):
    file = config(train_dataloader=dict(num_workers=2, persistent_workers=True))
    assert Job(file, tmp_path / 'whole', '--exact-resume').wait() == [0]
    job = Job(file, tmp_path / 'run', '--exact-resume', slow=0.2)
    assert job.until(job.saved())
    for pid in [*job.workers(), job.processes[0].pid]:  # as slurm does, to all
        os.kill(pid, signal.SIGTERM)
    assert job.wait() == [STOPPED], job.log[-4000:]
    assert Job(file, tmp_path / 'run', '--exact-resume', '--resume').wait() == [0]
    same(final(tmp_path / 'run'), final(tmp_path / 'whole'))


@pytest.mark.slow
@pytest.mark.parametrize('processes', [1, 2])
def test_killed_data_worker_ends_the_run_with_a_message(config, tmp_path, processes):
    file = config(
        train_cfg=dict(max_epochs=500),
        train_dataloader=dict(num_workers=1, persistent_workers=True),
    )
    job = Job(file, tmp_path / 'run', processes=processes)
    assert job.until(job.saved()), job.log[-4000:]
    os.kill(job.workers()[0], signal.SIGKILL)
    codes = job.wait()
    assert codes[0] == 1 and 0 not in codes
    assert 'a data worker died:' in job.log
    assert 'train_dataloader.num_workers' in job.log


@pytest.mark.slow
def test_second_start_in_a_work_dir_is_refused_and_the_first_goes_on(config, tmp_path):
    file = config(train_cfg=dict(max_epochs=500))
    first = Job(file, tmp_path / 'run')
    assert first.until(first.saved()), first.log[-4000:]
    dumped = (tmp_path / 'run' / file.name).read_bytes()
    second = subprocess.run(
        [
            sys.executable,
            ROOT / 'tools/train.py',
            file,
            '--work-dir',
            tmp_path / 'run',
            '--resume',
            '--cfg-options',
            'randomness.seed=7',
        ],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert second.returncode == 1
    assert (
        f"train.py: error: '{tmp_path}/run' is in use by process "
        f'{first.processes[0].pid}: '
    ) in second.stderr
    first.processes[0].terminate()
    assert first.wait() == [STOPPED], first.log[-4000:]
    assert (tmp_path / 'run' / file.name).read_bytes() == dumped
    assert len(list((tmp_path / 'run').glob('*/vis_data'))) == 1


@pytest.mark.slow
def test_killed_run_whose_data_workers_live_on_is_resumed_at_once(config, tmp_path):
    file = config(train_dataloader=dict(num_workers=2, persistent_workers=True))
    job = Job(file, tmp_path / 'run', slow=0.2)
    assert job.until(job.saved()), job.log[-4000:]
    workers = job.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        job.processes[0].kill()
        assert job.wait() == [-signal.SIGKILL]
        resumed = Job(file, tmp_path / 'run', '--resume')
        assert resumed.wait() == [0], resumed.log[-4000:]
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
