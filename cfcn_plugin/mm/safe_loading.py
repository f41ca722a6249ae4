"""Files from strangers: opened without running what they hold.

A checkpoint is a pickle, and a pickle can run code. torch's ``weights_only`` refuses
that, and mmengine's own checkpoints with it: their logs are of classes of mmengine and
NumPy. The few that are needed and can do no harm are allowed here, and mmengine's
loaders are held to them, whichever stack is installed:

- onedl-mmengine opens what torch refuses a second time, without the check, and allows
  all of ``getattr``;
- the originals know no allow-list, so that torch refuses their own checkpoints;
- both download with the check switched off.
"""
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import PurePath
from pickle import UnpicklingError
from typing import Any
from unittest import mock

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

# torch's own switches: the first wins over what a caller passes
FORCE, FORCE_NOT = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
CODE = ('.pkl', '.pickle', '.yaml', '.yml')
STATISTICS = ('min', 'max', 'current', 'mean')
# two spellings: a file keeps the one of the NumPy that wrote it
NUMPY = ('numpy._core.multiarray', 'numpy.core.multiarray')


class CheckpointError(ValueError):
    """A checkpoint cannot be opened."""


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint would run code when it is opened, as far as can be told."""


def safe_classes() -> list:
    """What a checkpoint may hold besides tensors and Python's own values.

    Returns:
        Classes and functions as ``torch.serialization.add_safe_globals`` takes them:
        mmengine's ``HistoryBuffer``, which checkpoints keep logs in, and arrays,
        numbers and texts of NumPy, which it and random states are made of.
    """
    array = np.zeros(1)
    rebuild, scalar = array.__reduce__()[0], array[0].__reduce__()[0]
    values = {type(np.dtype(code)) for code in np.typecodes['AllInteger'] + '?efdgUS'}
    return [
        HistoryBuffer, (_history_method, 'builtins.getattr'),
        np.ndarray, np.dtype, *values,
        *((rebuild, f'{module}._reconstruct') for module in NUMPY),
        *((scalar, f'{module}.scalar') for module in NUMPY)
    ]


def _history_method(owner, name: str) -> Callable:
    """What stands for ``getattr`` in a checkpoint: a buffer's statistics, no more.

    mmengine writes them with each ``HistoryBuffer``. The real ``getattr`` leads from
    any function to its module, and on to all of Python.

    Raises:
        UnpicklingError: It is asked for anything else.
    """
    if owner is not HistoryBuffer or name not in STATISTICS:
        raise UnpicklingError(f'GLOBAL getattr of {owner!r}, {name!r}')
    return getattr(HistoryBuffer, name)


def enable_safe_loading() -> None:
    """Hold each of mmengine's loaders to :func:`safe_classes`.

    They are registered anew by mmengine's own seam, from the file's to the URLs'.
    """
    torch.serialization.add_safe_globals(safe_classes())
    if hasattr(mmengine_checkpoint, '_safe_torch_load'):
        # no seam: the fork's loaders for files, S3 and others all end here
        mmengine_checkpoint._safe_torch_load = _load_weights
    for prefix, loader in list(CheckpointLoader._schemes.items()):
        if not hasattr(loader, '__wrapped__'):
            CheckpointLoader.register_scheme(prefix, _guarded(loader), force=True)


def refusal(file, error: Exception) -> UnsafeCheckpointError:
    """What to say of a file that torch refused.

    Args:
        file: Its name.
        error: What torch raised.
    """
    remedy = (
        'If you know and trust whoever made it, `python tools/clean_checkpoint.py '
        f'{file} OUT --i-trust-this-file` runs what it holds and copies its weights '
        'and numbers (docs/safety.md)')
    found = re.search(r'GLOBAL (\S+)|Unsupported globals: (\S+?)[,.]? ', str(error))
    if found is None:
        return UnsafeCheckpointError(
            f"checkpoint '{file}' is refused: it is none, or one that cannot be "
            f'opened without running code ({_reason(error)}). Nothing in it was run. '
            f'Is it whole, and written by torch.save? {remedy}')
    name = found[1] or found[2]
    return UnsafeCheckpointError(
        f"checkpoint '{file}' is refused: opening it would call '{name}', which is no "
        f'weight and no number and may do anything. Nothing in it was run. {remedy}')


def build_dataset(config: dict) -> Dataset:
    """A data set of the registry, which unpickles nothing.

    Raises:
        ValueError: See :func:`check_annotation_files`.
    """
    check_annotation_files(config, 'dataset.')
    return DATASETS.build(config)


def check_annotation_files(config: Any, name: str = '') -> None:
    """Refuse what a stock dataset would unpickle, or read as YAML that can run code.

    Args:
        config: A loader's or a data set's config, or a part of one.
        name: Where in the config the part is.

    Raises:
        ValueError: A text in it names such a file.
    """
    if isinstance(config, dict):
        for key, value in config.items():
            check_annotation_files(value, f'{name}{key}.')
    elif isinstance(config, list | tuple):
        for index, value in enumerate(config):
            check_annotation_files(value, f'{name}{index}.')
    elif isinstance(config, str | PurePath) and str(config).lower().endswith(CODE):
        raise ValueError(
            f"`{name[:-1]}` is '{config}', and mmengine runs what such a file holds "
            'when it reads it: write it as JSON, CSV or text, whatever the dataset '
            'takes (docs/safety.md)')


@contextmanager
def weights_only() -> Iterator[None]:
    """Whoever calls ``torch.load`` meanwhile gets weights only, asked for or not."""
    with mock.patch.dict(os.environ, {FORCE: '1'}):
        os.environ.pop(FORCE_NOT, None)
        yield


def refused(error: BaseException | None) -> UnpicklingError | None:
    """The refusal of torch's that an error comes from, if it comes from one."""
    while error is not None and not isinstance(error, UnpicklingError):
        error = error.__cause__ or error.__context__
    return error


def _guarded(loader: Callable) -> Callable:
    """One of mmengine's loaders, which unpickles weights and nothing else."""

    @wraps(loader)  # its name is in mmengine's log
    def load(filename, *args, **kwargs):
        try:
            with weights_only():
                checkpoint = loader(filename, *args, **kwargs)
        except UnpicklingError as error:
            raise refusal(filename, error) from error
        except (OSError, ImportError, torch.OutOfMemoryError):
            raise  # a missing file, a network: nothing that the file's content does
        except Exception as error:  # half a file makes torch raise anything
            raise CheckpointError(
                f"checkpoint '{filename}' cannot be opened ({type(error).__name__}: "
                f'{_reason(error)}): is it whole?') from error
        return _without_code(checkpoint)

    return load


def _load_weights(file, map_location=None, weights_only=None):
    """onedl-mmengine's ``_safe_torch_load`` without its second try."""
    return torch.load(file, map_location=map_location, weights_only=True)


def _without_code(checkpoint: Any) -> Any:
    """A checkpoint without ``meta['config']``, which mmengine 0.x wrote.

    On resuming, mmengine runs that text as Python, to compare numbers of GPUs.
    """
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    if isinstance(meta, dict):
        meta.pop('config', None)
    return checkpoint


def _reason(error: Exception) -> str:
    """The first line that tells something; torch's own advice is not for a user."""
    told = str(error).rpartition('WeightsUnpickler error:')[2].strip()
    return (told.splitlines() or [''])[0][:200]
