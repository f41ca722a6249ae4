"""Several processes for a test, quickly: torch and the package are imported once."""

import inspect
import multiprocessing
import os
import runpy
import tempfile
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from quick_runs import quick_runs

SECONDS = 1800  # a collective that one process leaves out ends as an error, not a hang


def start(function: Callable, *arguments) -> BaseProcess:
    """A new process that calls ``function``; see :func:`run_in_processes`."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(
        ['mmpretrain', 'cfcn_plugin.mm', 'torch.distributed.nn']
    )
    # by its file: pytest's modules have names that other processes do not know
    process = context.Process(
        target=_call, args=(inspect.getfile(function), function.__name__, arguments)
    )
    process.start()
    return process


def run_in_processes(
    function: Callable, count: int, *arguments, backend: str = 'gloo'
) -> list:
    """What ``function(rank, *arguments)`` returns in each of ``count`` processes.

    They share a group, by default of gloo. The function must be a module's own, which
    is run anew in each; what it takes and returns is pickled.

    Raises:
        RuntimeError: A process failed; its traceback is on stderr.
    """
    file, name = inspect.getfile(function), function.__name__
    with tempfile.TemporaryDirectory() as folder:
        started = [
            start(_in_group, rank, count, backend, folder, file, name, arguments)
            for rank in range(count)
        ]
        for process in started:
            process.join()
        codes = [process.exitcode for process in started]
        if any(codes):
            raise RuntimeError(f'processes ended with {codes}')
        return [
            torch.load(Path(folder, f'{rank}.pt'), weights_only=False)
            for rank in range(count)
        ]


def _call(file: str, name: str, arguments):
    torch.set_num_threads(1)
    with quick_runs():
        return runpy.run_path(file)[name](*arguments)


def _in_group(
    rank: int, count: int, backend: str, folder: str, file: str, name: str, arguments
) -> None:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count))
    torch.distributed.init_process_group(
        backend,
        init_method=f'file://{folder}/store',
        rank=rank,
        world_size=count,
        timeout=timedelta(seconds=SECONDS),
    )
    torch.save(_call(file, name, (rank, *arguments)), Path(folder, f'{rank}.pt'))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
