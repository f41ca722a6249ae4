"""Opening untrusted checkpoints and images without running code.

A checkpoint is a pickle, and a pickle can call any function. torch's ``weights_only``
check refuses such checkpoints. The check also refuses mmengine's own checkpoints,
whose logs are objects of mmengine and NumPy. :func:`enable_safe_loading` allows these
few classes and switches the check on for the whole process.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint

from cfcn_plugin.masks.io.open_image import forbid_other_formats

from .fitting_weights import load_checkpoint_with_prefix, load_state_dict, opened_file

SWITCH = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'  # torch's own environment variable
STATISTICS = ('min', 'max', 'current', 'mean')
# two module names: a file has the name of the NumPy version that wrote the file
NUMPY = ('numpy._core.multiarray', 'numpy.core.multiarray')
_load_by_mmengine = CheckpointLoader.load_checkpoint


class CheckpointError(ValueError):
    """A checkpoint cannot be opened."""


class UnsafeCheckpointError(CheckpointError):
    """Opening a checkpoint would, or may, run code."""


def enable_safe_loading() -> None:
    """Open every checkpoint with torch's ``weights_only`` check from now on.

    This holds for ``torch.load``, for mmengine's loaders of files and URLs, and for the
    processes that this process starts. torch's own environment variable switches the
    check on: it wins over ``weights_only=False``, which mmengine passes for downloads.
    Errors of mmengine's loaders name the checkpoint (:func:`checkpoint_errors`), and
    weights of which none fits the model are an error (:func:`.load_state_dict`).

    ``PIL.Image.open``, by which stock transforms load images with
    ``imdecode_backend='pillow'``, then opens raster formats alone in this process and
    in the processes that it forks: others start programs.
    """
    forbid_other_formats()
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    os.environ[SWITCH] = '1'
    torch.serialization.add_safe_globals(safe_classes())
    CheckpointLoader.load_checkpoint = staticmethod(_load_checkpoint)
    mmengine_checkpoint.load_state_dict = load_state_dict
    mmengine_checkpoint._load_checkpoint_with_prefix = load_checkpoint_with_prefix
    if hasattr(mmengine_checkpoint, '_safe_torch_load'):
        # onedl-mmengine allows any getattr, and loads again without the check after an
        # error; neither can be disabled by a public option
        mmengine_checkpoint._safe_torch_load = torch.load


def safe_classes() -> list:
    """The allowed classes in a checkpoint, besides tensors and Python's own values.

    Returns:
        Classes and functions for ``torch.serialization.add_safe_globals``: mmengine's
        ``HistoryBuffer`` for logs, and NumPy's arrays, numbers and texts, which logs
        and random states contain.
    """
    array = np.zeros(1)
    rebuild, scalar = array.__reduce__()[0], array[0].__reduce__()[0]
    values = {type(np.dtype(code)) for code in np.typecodes['AllInteger'] + '?efdgUS'}
    return [
        HistoryBuffer,
        (_history_method, 'builtins.getattr'),
        np.ndarray,
        np.dtype,
        *values,
        *((rebuild, f'{module}._reconstruct') for module in NUMPY),
        *((scalar, f'{module}.scalar') for module in NUMPY),
    ]


@contextmanager
def checkpoint_errors(file) -> Iterator[None]:
    """Convert errors of loading to errors that name the checkpoint.

    Args:
        file: Path or address of the checkpoint.

    Raises:
        UnsafeCheckpointError: torch refused the checkpoint.
        CheckpointError: The file is damaged, or is not a checkpoint.
    """
    try:
        yield
    except (ImportError, torch.OutOfMemoryError):
        raise  # not caused by the file's content
    except OSError as error:
        # torch seeks before the begin of a file that was cut
        if error.errno == errno.EINVAL and Path(file).is_file():
            raise _checkpoint_error(file, error) from error
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(file)) from error
    except Exception as error:  # a truncated file can raise errors of any type
        raise _checkpoint_error(file, error) from error


def _load_checkpoint(filename, map_location=None, logger='current') -> Any:
    """mmengine's ``CheckpointLoader.load_checkpoint`` with errors that name the file.

    ``meta['config']``, a text that mmengine 0.x wrote, is left out: on resuming,
    mmengine runs this text as Python, to compare numbers of GPUs.
    """
    opened_file.set(str(filename))
    with checkpoint_errors(filename):
        checkpoint = _load_by_mmengine(filename, map_location, logger)
    if isinstance(checkpoint, dict) and not isinstance(
        checkpoint.get('state_dict', {}), dict
    ):
        raise CheckpointError(
            f"checkpoint '{filename}' has a {type(checkpoint['state_dict']).__name__} "
            'as `state_dict`, expected weights by name'
        )
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    if isinstance(meta, dict):
        meta.pop('config', None)
    return checkpoint


def _history_method(owner, name: str) -> Callable:
    """Replacement of ``getattr`` in a checkpoint: only statistics of a HistoryBuffer.

    mmengine pickles the statistics of each ``HistoryBuffer`` as ``getattr`` calls. The
    real ``getattr`` would give access to any module and thus to all of Python.

    Raises:
        UnpicklingError: The attribute is not such a statistic.
    """
    if owner is not HistoryBuffer or name not in STATISTICS:
        raise UnpicklingError(f'GLOBAL getattr of {owner!r}, {name!r}')
    return getattr(HistoryBuffer, name)


def refusal_reason(text: str) -> str:
    """The first line of the cause in a message of torch, without torch's own advice."""
    return text.rpartition('WeightsUnpickler error:')[2].strip().partition('\n')[0]


def _checkpoint_error(file, error: Exception) -> CheckpointError:
    refusal = error
    while refusal is not None and not isinstance(refusal, UnpicklingError):
        refusal = refusal.__cause__ or refusal.__context__
    text = str(refusal or error)
    reason = refusal_reason(text)
    if refusal is None:
        return CheckpointError(
            f"checkpoint '{file}' cannot be opened ({type(error).__name__}: "
            f'{reason[:200]}): is it whole?'
        )
    found = re.search(r'GLOBAL (\S+)', text)
    cause = (
        'it is no checkpoint, or one that cannot be opened without running code '
        f'({reason[:200]}). Is it whole, and written by torch.save?'
        if found is None
        else f"opening it would call '{found[1]}', which is neither a "
        'weight nor a number and can run any code.'
    )
    return UnsafeCheckpointError(
        f"checkpoint '{file}' is refused: {cause} No code of the file was run. If you "
        'trust the author, `python tools/clean_checkpoint.py '
        f'{file} OUT --i-trust-this-file` runs the code and copies the weights '
        'and numbers (docs/safety.md)'
    )
