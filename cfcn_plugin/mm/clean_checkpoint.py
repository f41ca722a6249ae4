"""Converting a trusted checkpoint to a safe copy with weights, numbers and texts."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor, nn

# exact types: an enumeration's member is also an int, but its pickle needs its class
PLAIN = (type(None), bool, int, float, str, bytes, HistoryBuffer)
KINDS = 'biufUS'  # NumPy's booleans, numbers and texts


def clean_checkpoint(file: str | Path, out: str | Path) -> list[str]:
    """Copy a checkpoint without the objects that need code for opening.

    **This runs any code in the file**: use only files from a trusted author. Opening
    the copy runs no code.

    Args:
        file: A checkpoint, or a complete model saved by ``torch.save``.
        out: The copy. An existing file is an error.

    Returns:
        Names in the checkpoint that are not in the copy, such as ``meta.args``.

    Raises:
        FileExistsError: ``out`` exists.
        FileNotFoundError: ``file`` does not exist.
        ValueError: The checkpoint holds neither weights nor numbers, or is damaged.
    """
    file, out = Path(file), Path(out)
    if not file.is_file():
        raise FileNotFoundError(f"checkpoint '{file}' does not exist")
    if out.exists():
        raise FileExistsError(f"'{out}' exists and is not overwritten")
    try:
        content = torch.load(file, map_location='cpu', weights_only=False)
    except Exception as error:  # a truncated file can raise errors of any type
        reason = f'{type(error).__name__}: {error}'.partition('\n')[0]
        raise ValueError(
            f"checkpoint '{file}' cannot be opened ({reason}): is it whole?"
        ) from error
    if isinstance(content, nn.Module):
        content = dict(state_dict=content.state_dict())
    dropped = []
    kept = _plain(content, '', dropped)
    if not kept:
        raise ValueError(
            f"'{file}' holds neither weights nor numbers: it is a "
            f'{type(content).__name__}'
        )
    torch.save(kept, out)
    return dropped


def _plain(value: Any, name: str, dropped: list[str]) -> Any:
    """The plain parts of a value; names of other parts are added to ``dropped``."""
    if isinstance(value, dict):
        inner = {
            key: _plain(one, f'{name}.{key}'.lstrip('.'), dropped)
            for key, one in value.items()
            if type(key) in PLAIN
        }
        return {
            key: one
            for key, one in inner.items()
            if one is not None or value[key] is None
        }
    if isinstance(value, list | tuple | set):
        kind = next(k for k in (list, tuple, set) if isinstance(value, k))
        return kind(_plain(one, f'{name}[{i}]', dropped) for i, one in enumerate(value))
    if isinstance(value, Tensor):
        return value.detach().as_subclass(Tensor)
    if type(value) in PLAIN or (
        isinstance(value, np.ndarray | np.generic) and value.dtype.kind in KINDS
    ):
        return value
    dropped.append(name or type(value).__name__)
    return None
