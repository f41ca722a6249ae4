"""Tests that say something of a GPU alone, and the table of what they measured.

Those marked ``gpu`` are skipped without one. Where the same fact can be asked of a CPU,
the test asks it there too, on a small model.
"""

import pytest
import torch

FACTS = pytest.StashKey()


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker('gpu'):
                item.add_marker(pytest.mark.skip(reason='needs a GPU'))


@pytest.fixture(params=['cpu', pytest.param('cuda', marks=pytest.mark.gpu)])
def device(request):
    return request.param


@pytest.fixture
def fact(request):
    """Keep a measured value for the table, as text."""

    def keep(what, value):
        request.config.stash.setdefault(FACTS, []).append((what, value))

    return keep


def pytest_terminal_summary(terminalreporter, config):
    facts = config.stash.get(FACTS, [])
    if facts and torch.cuda.is_available():
        terminalreporter.section(
            f'{torch.cuda.get_device_name()}, torch {torch.__version__}'
        )
        for line in (
            '| what | value |',
            '|---|---|',
            *(f'| {what} | {value} |' for what, value in facts),
        ):
            terminalreporter.write_line(line)
