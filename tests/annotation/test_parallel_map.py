"""Mapping a function over items in one and in several processes."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from cfcn_plugin.annotation.parallel_map import parallel_map


@pytest.mark.parametrize('jobs', [1, 2])
def test_results_come_in_order_from_what_the_parent_holds(jobs):
    offset = {'by': 100}  # a closure cannot be pickled: it is inherited
    items = range(40)
    assert list(parallel_map(lambda i: i + offset['by'], items, jobs)) == [
        i + 100 for i in items
    ]


def test_several_processes_work():
    seen = set(parallel_map(lambda i: os.getpid(), range(64), 2))
    assert os.getpid() not in seen


def test_error_of_the_function_comes_through():
    with pytest.raises(ZeroDivisionError):
        list(parallel_map(lambda i: 1 // i, [1, 0], 2))


def test_process_that_dies_is_reported():
    with pytest.raises(RuntimeError, match='a process died.*fewer `jobs`'):
        list(parallel_map(lambda i: os._exit(9), range(40), 2))


def test_no_process_is_refused():
    with pytest.raises(ValueError, match='`jobs` must be at least 1, got 0'):
        list(parallel_map(abs, [1], 0))


KILLED = """
import sys, time
from cfcn_plugin.annotation.parallel_map import parallel_map

count = int(sys.argv[1])
for one in parallel_map(lambda i: time.sleep(0.001) or i, range(count), 2):
    if one == 63:
        print('started', flush=True)
        time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, 'SIGKILL'), reason='no SIGKILL on Windows')
@pytest.mark.parametrize('count', [64, 1_000_000], ids=['idle', 'busy'])
def test_processes_end_when_their_parent_is_killed(count):
    with subprocess.Popen(
        [sys.executable, '-c', KILLED, str(count)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        try:
            assert parent.stdout.readline() == b'started\n'
            parent.kill()
            # the end of the output: no process has the pipe open
            parent.communicate(timeout=120)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)
