"""The same work on many things, by several processes."""
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import cv2
import torch

CHUNK = 16  # things handed over at once: few, so that progress shows

_work: Callable


def in_processes(work: Callable, things: Iterable, jobs: int) -> Iterator:
    """``work(thing)`` for each thing, in their order.

    Processes are forked where the platform can, so that what ``work`` holds, such as
    an index of masks, is shared and not copied.

    Args:
        work: Called in the processes; what it returns is pickled.
        things: Small things, such as indices.
        jobs: Number of processes; 1 works in this one.

    Raises:
        ValueError: ``jobs`` is less than 1.
        RuntimeError: A process died.
    """
    if jobs < 1:
        raise ValueError(f'`jobs` must be at least 1, got {jobs}')
    if jobs == 1:
        yield from map(work, things)
        return
    can_fork = 'fork' in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context('fork' if can_fork else None)
    with ProcessPoolExecutor(jobs, context, _begin, (work, )) as pool:
        try:
            yield from pool.map(_do, things, chunksize=CHUNK)
        except BrokenProcessPool as error:
            raise RuntimeError('a process died, perhaps for lack of memory: start '
                               'again with fewer `jobs`') from error


def _begin(work: Callable) -> None:
    global _work
    _work = work
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def _do(thing):
    return _work(thing)
