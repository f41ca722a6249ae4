"""Work in one and in several processes."""
import os

import pytest

from cfcn_plugin.annotation.processes import in_processes


@pytest.mark.parametrize('jobs', [1, 2])
def test_results_come_in_order_from_what_the_parent_holds(jobs):
    offset = {'by': 100}  # a closure cannot be pickled: it is inherited
    things = range(40)
    assert list(in_processes(lambda i: i + offset['by'], things, jobs)) == [
        i + 100 for i in things
    ]


def test_several_processes_work():
    seen = set(in_processes(lambda i: os.getpid(), range(64), 2))
    assert os.getpid() not in seen


def test_error_of_the_work_comes_through():
    with pytest.raises(ZeroDivisionError):
        list(in_processes(lambda i: 1 // i, [1, 0], 2))


def test_process_that_dies_is_told():
    with pytest.raises(RuntimeError, match='a process died.*fewer `jobs`'):
        list(in_processes(lambda i: os._exit(9), range(40), 2))


def test_no_process_is_refused():
    with pytest.raises(ValueError, match='`jobs` must be at least 1, got 0'):
        list(in_processes(abs, [1], 0))
