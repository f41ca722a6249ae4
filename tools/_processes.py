"""Join and leave the processes of a run; gloo on machines without a GPU."""

import gc
import os
import subprocess
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Import this before a group exists: the default arguments of its functions hold the
# group of that moment. DDP imports it late; the group then outlives
# `destroy_process_group`
import torch.distributed.nn
from mmengine.config import Config
from mmengine.device import get_device

from cfcn_plugin.folder_lock import lock_folder
from cfcn_plugin.mm.engine.resume.run_errors import write_errors

# The launchers' names of RANK, WORLD_SIZE and LOCAL_RANK, and the starting command
LAUNCHERS = {
    'pytorch': (
        ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
        'tools/dist_train.sh or torchrun',
    ),
    'slurm': (
        ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
        'tools/slurm_train.sh or srun',
    ),
    'mpi': (
        ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
        'mpirun',
    ),
}


@contextmanager
def processes(cfg: Config) -> Iterator[None]:
    """Join the process group of the launcher, and leave it at the end.

    With GPUs mmengine starts NCCL itself. Without GPUs mmengine's start would need
    CUDA, so gloo is started here, and the config's DDP or FSDP gets no GPU device.

    At the end no object may refer to the group: a gloo thread that releases its last
    tensor while Python shuts down aborts a finished run
    (https://github.com/pytorch/pytorch/issues/190489). So no name outside the block may
    refer to an object of the block, such as the runner.

    After an error an NCCL group is not destroyed: destroying an NCCL group requires all
    processes. The other processes may wait for this process, which would then hang
    before the error is printed.

    Raises:
        ValueError: The launcher has not started this process.
    """
    if cfg.launcher != 'none':
        names, starter = LAUNCHERS[cfg.launcher]
        missing = [name for name in names[:2] if name not in os.environ]
        if missing:
            raise ValueError(
                f'--launcher {cfg.launcher}: the environment has no {missing}, which '
                f'{starter} sets: start this script by it, or leave --launcher out for '
                'one process'
            )
        if get_device() == 'cpu':
            _start_gloo(names)
            cfg.model_wrapper_cfg = _without_device(cfg)
            if cfg.get('strategy', {}).get('type') == 'FSDPStrategy':
                cfg.strategy.model_wrapper = dict(
                    cfg.strategy.get('model_wrapper') or {}, device_id='cpu'
                )
    try:
        yield
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they refer to the runner
        if isinstance(error, SystemExit) or _backend() == 'gloo':
            _leave()
        raise
    else:
        _leave()


@contextmanager
def lock_work_dir(cfg: Config) -> Iterator[None]:
    """Keep other runs out of the work dir; the first process does it for all.

    The kernel unlocks the folder when this process ends, also after SIGKILL.

    Raises:
        RuntimeError: Another run uses the work dir.
        OSError: The work dir cannot be written.
    """
    names, _ = LAUNCHERS.get(cfg.launcher, ((None,), None))
    with ExitStack() as stack:
        if int(os.environ.get(names[0] or '', 0)) == 0:
            folder = Path(cfg.work_dir)
            with write_errors(cfg.work_dir):
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock_folder(folder))
        yield


def _backend() -> str | None:
    group = torch.distributed
    return group.get_backend() if group.is_initialized() else None


def _leave() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    # A runner is a cycle. Its DDP holds the group, and its loaders hold data workers,
    # whose end would be reported as an error while Python shuts down
    gc.collect()


def _start_gloo(names: tuple[str, ...]) -> None:
    env = os.environ
    for ours, theirs in zip(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), names):
        env.setdefault(ours, env.get(theirs, '0'))
    if 'MASTER_ADDR' not in env and 'SLURM_NODELIST' in env:
        shown = subprocess.run(
            ['scontrol', 'show', 'hostnames', env['SLURM_NODELIST']],
            check=True,
            capture_output=True,
            text=True,
        )
        env['MASTER_ADDR'] = shown.stdout.split()[0]
    env.setdefault('MASTER_ADDR', '127.0.0.1')
    env.setdefault('MASTER_PORT', '29500')
    torch.distributed.init_process_group('gloo')


def _without_device(cfg: Config) -> dict:
    wrapper = dict(
        cfg.get('model_wrapper_cfg')
        or dict(
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        )
    )
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    if wrapper['type'] == 'MMDistributedDataParallel':
        wrapper['device_ids'] = None
    return wrapper
