"""Refusing untrusted annotation files that can run code in mmengine."""

from pathlib import PurePath
from typing import Any

from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

CODE = ('.pkl', '.pickle', '.yaml', '.yml')


def build_dataset(config: dict) -> Dataset:
    """Build a data set of mmpretrain's registry that unpickles no file.

    Raises:
        ValueError: See :func:`check_annotation_files`.
    """
    check_annotation_files(config, 'dataset.')
    return DATASETS.build(config)


def check_annotation_files(config: Any, name: str = '') -> None:
    """Refuse files that a stock dataset unpickles, or reads as YAML that can run code.

    Args:
        config: The config of a loader or data set, or a part of the config.
        name: Place of the part in the config.

    Raises:
        ValueError: The config has the name of such a file.
    """
    if isinstance(config, dict):
        for key, value in config.items():
            check_annotation_files(value, f'{name}{key}.')
    elif isinstance(config, list | tuple):
        for index, value in enumerate(config):
            check_annotation_files(value, f'{name}{index}.')
    elif isinstance(config, str | PurePath) and str(config).lower().endswith(CODE):
        raise ValueError(
            f"`{name[:-1]}` is '{config}', and mmengine would run code in such a file: "
            'convert the file to JSON, CSV or text, as the dataset supports '
            '(docs/safety.md)'
        )
