"""Mapping a function over many items with several processes."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

import cv2
import torch

from cfcn_plugin.options import check_whole

CHUNK = 16  # items per task of a process; small, for frequent progress

_function: Callable


def parallel_map(function: Callable, items: Iterable, jobs: int) -> Iterator:
    """``function(item)`` for each item, in the order of the items.

    Processes are forked if the platform supports forking. Data in ``function``, such
    as an index of masks, is then shared and not copied (joblib would pickle the data).
    The processes end with this process, also when this process is killed.

    Args:
        function: Called in the processes; its result is pickled.
        items: Small objects, such as indices.
        jobs: Number of processes, >= 1; with 1 no process is started.

    Raises:
        ValueError: ``jobs`` is less than 1.
        RuntimeError: A process died.
    """
    check_whole('jobs', jobs, least=1)
    if jobs == 1:
        yield from map(function, items)
        return
    can_fork = 'fork' in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context('fork' if can_fork else None)
    with ProcessPoolExecutor(jobs, context, _initialize, (function,)) as pool:
        try:
            yield from pool.map(_call, items, chunksize=CHUNK)
        except BrokenProcessPool as error:
            raise RuntimeError(
                'a process died, perhaps for lack of memory: start '
                'again with fewer `jobs`'
            ) from error


def _initialize(function: Callable) -> None:
    global _function
    _function = function
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def _end_with_parent() -> None:
    """End this process when its parent ends: its queue would be waited for for ever.

    The sentinel is a pipe that the system closes with the parent, in any way it ends.
    """
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _call(item):
    return _function(item)
