"""Configs in text that no formatter has laid out."""
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def unformatted_configs() -> Iterator[None]:
    """No yapf: it takes most of a small run, seconds where a path is long."""
    if importlib.util.find_spec('yapf') is None:
        yield
        return
    with mock.patch('yapf.yapflib.yapf_api.FormatCode',
                    lambda text, **options: (text, True)):
        yield
