"""The runner over a bare PyTorch loop, and two processes over one."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator

import torch
import torch.multiprocessing
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import IterBasedTrainLoop

from cfcn_plugin.mm.engine import ResumableRunner

from .pairs import Line, Turn, ratio_of, ratio_with_interval, seconds
from .steps import CFCN, RESNET_18, Trained

# hooks of the base config that act in each iteration; the runner adds its own hooks
EACH_ITERATION = ('BatchedLogHook', 'DeadMapHook', 'ReduceLogHook')


def runner(pairs: int, device: str = 'cpu', tiny: bool = False) -> Iterator[Line]:
    """An iteration of the runner, with the base config's hooks, over a bare loop's.

    The bare loop does the same work: preprocessor, forward, backward, optimizer.
    """
    size, images = (32, 2) if tiny else (112, 8)
    trained = Trained(RESNET_18, CFCN, size, images, device)
    with tempfile.TemporaryDirectory() as work_dir:
        run = ResumableRunner(  # the runner of tools/train.py
            model=trained.model,
            work_dir=work_dir,
            experiment_name=os.path.basename(work_dir),
            default_scope='mmpretrain',
            log_level='ERROR',
            train_dataloader=dict(
                dataset=Batches(trained),
                batch_size=None,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
            ),
            train_cfg=dict(type=PairedLoop, max_iters=10**6, pairs=pairs),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-4, momentum=0.9)),
            default_hooks=dict(
                checkpoint=None, logger=dict(type='LoggerHook', interval=10)
            ),
            custom_hooks=[dict(type=name) for name in EACH_ITERATION],
        )
        run.train()
    ratio, took = run.train_loop.found
    yield Line(
        f'runner over a bare loop: ResNet-18, {size} px, batch of {images}',
        ratio,
        1.05,
        f'{1000 * took:.0f} ms',
        strict=True,
    )


class Batches(torch.utils.data.Dataset):
    """Always the same batch."""

    metainfo = {}

    def __init__(self, trained: Trained):
        self.trained = trained

    def __len__(self) -> int:
        return 1

    def __getitem__(self, _) -> dict:
        return self.trained.batch()


class PairedLoop(IterBasedTrainLoop):
    """Runs an iteration of the runner and one of the bare loop alternately."""

    def __init__(self, *args, pairs: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.pairs = pairs
        self.found = None

    def run(self) -> None:
        model, optimizer = self.runner.model, self.runner.optim_wrapper.optimizer
        device = next(model.parameters()).device.type
        make = self.dataloader.dataset.trained.batch

        def bare(data):
            losses = model(**model.data_preprocessor(data, True), mode='loss')
            sum(v for k, v in losses.items() if 'loss' in k).backward()
            optimizer.step()
            optimizer.zero_grad()

        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.found = ratio_of(
            Turn(self.run_iter, make), Turn(bare, make), self.pairs, device
        )
        self.runner.call_hook('after_train')


# ---- processes ---------------------------------------------------------------


def processes(pairs: int, device: str = 'cpu', tiny: bool = False) -> Iterator[Line]:
    """A joint step of two gloo processes over a step of one process, on CPUs.

    The batch of each process is that of the one process, so 1 is perfect scaling.
    """
    size, images = (32, 2) if tiny else (112, 8)
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, 'ratios.pt')
        torch.multiprocessing.spawn(
            _one_of_two, (port, pairs, size, images, file), nprocs=2
        )
        ratios, took = torch.load(file)
    yield Line(
        f'2 gloo processes over 1, each ResNet-18, {size} px, batch of {images}',
        ratio_with_interval(ratios),
        None,
        f'{1000 * took:.0f} ms',
    )


def _one_of_two(
    rank: int, port: int, pairs: int, size: int, images: int, file: str
) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        'gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2
    )
    trained = Trained(RESNET_18, CFCN, size, images)
    together = MMDistributedDataParallel(trained.model, broadcast_buffers=False)
    alone = Trained(RESNET_18, CFCN, size, images).turn
    both = Turn(
        lambda batch: together.train_step(batch, trained.optimizer), trained.batch
    )
    ratios, times = [], []
    for pair in range(pairs + 1):
        torch.distributed.barrier()
        shared = seconds(both, pair, clock=time.perf_counter)
        torch.distributed.barrier()
        own = None
        if rank == 0:  # the other process waits
            own = seconds(alone, pair, clock=time.perf_counter)
        if own is not None and pair:  # the first pair is the warm-up
            ratios.append(shared / own)
            times.append(own)
    if rank == 0:
        torch.save((ratios, sorted(times)[len(times) // 2]), file)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
