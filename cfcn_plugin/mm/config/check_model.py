"""What a training would refuse of a config's model and weights."""

import copy
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn


def build_model(cfg: Config, weights: bool = True) -> nn.Module:
    """The model of a config, with no download.

    Args:
        cfg: The config.
        weights: Whether to load the files of weights that the backbone names.
    """
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    config = copy.deepcopy(cfg.model)
    for part in (config, config.get('backbone') or {}):
        if 'model_name' in part and part.get('pretrained') is True:
            part['pretrained'] = False
        if 'model_name' in part and not weights:
            part.update(pretrained=False, checkpoint_path='')
            part.pop('local_weights', None)
    return MODELS.build(config)


def check_model(cfg: Config) -> None:
    """Check a config's model and weights as its training will.

    The model is built, so that a wrong type or option is told. Files of weights must
    exist; addresses and names of model zoos are not looked up.

    Raises:
        TypeError: The place of weights is no path.
        FileNotFoundError: There is no such file.
        Exception: What building the model raises.
    """
    for name, file in _weights(cfg):
        if not isinstance(file, str | PathLike):
            raise TypeError(
                f'`{name}` must be the path of a file of weights, got {file!r}'
            )
        if ':' not in str(file) and not Path(file).is_file():
            raise FileNotFoundError(
                f"`{name}` is '{file}', and there is no such file: correct the path"
            )
    build_model(cfg)


def _weights(cfg: Config) -> Iterator[tuple[str, object]]:
    if cfg.get('load_from') is not None:
        yield 'load_from', cfg.load_from
    yield from _of_part(cfg.model, 'model')


def _of_part(config, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(config, list | tuple):
        config = dict(enumerate(config))
    if not isinstance(config, dict):
        return
    if config.get('type') == 'Pretrained':
        yield f'{name}.checkpoint', config.get('checkpoint')
    for key, value in config.items():
        yield from _of_part(value, f'{name}.{key}')
