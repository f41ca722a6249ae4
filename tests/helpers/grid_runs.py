"""Running a grid of small scripts, and what the runs leave."""

from functools import partial

from cfcn_plugin.experiments import run

# in this process, one after the other; what a process is needed for says 'local'
run_grid = partial(run.run_grid, executor='debug')


def log_of(outcome):
    return (outcome.folder / 'output.log').read_text()
