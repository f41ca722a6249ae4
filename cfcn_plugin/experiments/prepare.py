"""The config of a cell's run."""

import json
import os
from copy import deepcopy
from functools import lru_cache
from pathlib import Path

from cfcn_plugin.mm.config import Config, read_config_file
from cfcn_plugin.mm.datasets.subset import choose_images, choose_masks

from .grid import OPTIONS, Cell

SHOWN = 4  # listed differences in a message


@lru_cache(maxsize=64)
def read_config(path: Path) -> Config:
    """A config file, cached, since the cells of a grid use the same few files."""
    return read_config_file(path)


def cell_config(cell: Cell, folder: Path) -> Config:
    """The complete config of a run; writes the list of guided images to ``folder``.

    Args:
        cell: The cell.
        folder: The cell's folder, which must exist.
    """
    try:
        cfg = deepcopy(read_config(cell.config))
        _refuse_unguided(cfg, cell)
        cfg.merge_from_dict(deepcopy(cell.options))
        if cell.size is not None:
            choose_images(cfg, cell.size, cell.seed)
        if cell.masks is not None:
            choose_masks(cfg, cell.masks, cell.seed, folder / 'guided.txt')
    except (ValueError, TypeError, FileNotFoundError) as error:
        raise type(error)(f"cell '{cell.name}' ({cell.config}): {error}") from error
    return cfg


def run_settings(cell: Cell) -> dict:
    """The settings of a run, {dotted key: value}, independent of the data's location.

    Runs with equal settings are the same experiment.
    """
    cfg = deepcopy(read_config(cell.config))
    cfg.merge_from_dict(deepcopy(cell.options))
    root = os.environ.get('CFCN_DATA', 'data').rstrip('/') + '/'
    settings = {**_flatten(cfg.to_dict()), 'masks': cell.masks, 'size': cell.size}
    return {
        key: '$CFCN_DATA/' + value[len(root) :]
        if isinstance(value, str) and value.startswith(root)
        else value
        for key, value in json.loads(json.dumps(settings, default=str)).items()
    }


def compare_settings(first: dict, second: dict) -> str:
    """Describe the first few settings that differ, for a message."""
    absent = '(absent)'
    keys = sorted(
        k
        for k in first.keys() | second.keys()
        if first.get(k, absent) != second.get(k, absent)
    )
    shown = [
        f'{key}: {first.get(key, absent)!r} became {second.get(key, absent)!r}'
        for key in keys[:SHOWN]
    ]
    more = [f'and {len(keys) - SHOWN} more'] if len(keys) > SHOWN else []
    return '; '.join(shown + more)


def _refuse_unguided(cfg: Config, cell: Cell) -> None:
    # merging into None would make a guidance without a type
    prefix = OPTIONS['alpha'].rpartition('.')[0]
    inside = [key for key in cell.options if key.startswith(f'{prefix}.')]
    if (
        inside
        and cfg.get('model', {}).get('guidance') is None
        and prefix not in cell.options
    ):
        raise ValueError(
            f'it has no guidance, so {inside[0]} has no effect: give the method '
            "`without=['alpha']`, or give its `options` a whole `model.guidance`, with "
            '`_delete_=True`'
        )


def _flatten(settings, prefix: str = '') -> dict:
    """Nested settings as {dotted key: value}."""
    if isinstance(settings, list | tuple) and any(
        isinstance(one, dict) for one in settings
    ):
        settings = dict(enumerate(settings))
    if not isinstance(settings, dict):
        return {prefix: settings}
    flat = {}
    for key, value in settings.items():
        flat.update(_flatten(value, f'{prefix}.{key}' if prefix else str(key)))
    return flat
