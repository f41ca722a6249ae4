"""Annotation files from strangers: refused where mmengine would run what they hold."""
from pathlib import PurePath
from typing import Any

from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

CODE = ('.pkl', '.pickle', '.yaml', '.yml')


def build_dataset(config: dict) -> Dataset:
    """A data set of mmpretrain's registry that unpickles nothing.

    Raises:
        ValueError: See :func:`check_annotation_files`.
    """
    check_annotation_files(config, 'dataset.')
    return DATASETS.build(config)


def check_annotation_files(config: Any, name: str = '') -> None:
    """Refuse files that a stock dataset unpickles, or reads as YAML that can run code.

    Args:
        config: A loader's or a data set's config, or a part of one.
        name: Where in the config the part is.

    Raises:
        ValueError: A text in the config names such a file.
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
