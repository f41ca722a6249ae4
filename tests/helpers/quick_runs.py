"""What small runs of mmengine in one process need."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from unittest import mock


@contextmanager
def quick_runs() -> Iterator[None]:
    """Leave out yapf, and give each run a name of its own.

    yapf lays out the config six times a run, which takes most of a small run. Runs that
    begin in the same second have one name, and share logger and log file.
    """
    if importlib.util.find_spec('mmengine') is None:
        yield
        return
    from mmengine.runner import Runner

    numbers, setup_env = count(), Runner.setup_env

    def setup_named(self, env_cfg):
        setup_env(self, env_cfg)
        self._timestamp += f'_{next(numbers):05d}'

    with (
        mock.patch.object(Runner, 'setup_env', setup_named),
        mock.patch(
            'yapf.yapflib.yapf_api.FormatCode', lambda text, **options: (text, True)
        ),
    ):
        yield
