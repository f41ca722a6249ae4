"""Arguments, configs and loaders of all launch scripts.

The mm packages take seconds to import. Functions import them, so that a tool can parse
its arguments first: ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import inspect
import os
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import _one_line_errors

if TYPE_CHECKING:
    from mmengine.config import Config


class KeyValues(argparse.Action):
    """mmengine's ``DictAction``, imported when the option is given."""

    def __call__(self, *parsed) -> None:
        from mmengine.config import DictAction

        DictAction(self.option_strings, self.dest, nargs=self.nargs)(*parsed)


def new_parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _one_line_errors.add_argument(parser)
    return parser


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--guide',
        metavar='FRAGMENT',
        help='guide a stock config: a file with `masks` and other keywords of '
        'cfcn_plugin.guide_config; examples are in configs/_base_/guidance',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=KeyValues,
        help='override settings of the config, key=value; lists as key="[a,b]"',
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument(
        '--no-pin-memory', action='store_true', help='do not pin memory in dataloaders'
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(path: str, guide: str | None = None) -> Config:
    """Read a config from a path, or by its name in an installed package's zoo.

    Args:
        path: A file, or for example ``'mmpretrain::resnet/resnet18_8xb32_in1k.py'``.
        guide: A file with the keyword arguments of ``guide_config``.
    """
    from mmengine.hub import get_config

    from cfcn_plugin import guide_config
    from cfcn_plugin.mm.config import read_config_file
    from cfcn_plugin.mm.safe_loading import enable_safe_loading

    enable_safe_loading()  # a tool that reads a config may load a checkpoint
    if '::' in path:
        cfg = get_config(path)
    else:
        cfg = read_config_file(
            _check_exists(
                path, '`python -m cfcn_plugin` shows the folder of the shipped configs'
            )
        )
    if guide is None:
        return cfg
    fragment = read_config_file(
        _check_exists(guide, 'examples are in configs/_base_/guidance')
    ).to_dict()
    known = list(inspect.signature(guide_config).parameters)[1:]
    unknown = sorted(set(fragment) - set(known))
    if unknown or 'masks' not in fragment:
        raise ValueError(
            f"'{guide}' "
            + (f'has {unknown}' if unknown else 'has no `masks`')
            + f': expected `masks`, and optionally {known[1:]}'
        )
    return guide_config(cfg, **fragment)


def check_new_file(path: Path) -> None:
    """Check, before the work begins, that a tool can write a new file.

    Raises:
        FileExistsError: The file exists; a link counts as a file.
        FileNotFoundError: Its folder does not exist.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"'{path}' exists and is not overwritten")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"'{path}' cannot be written: make its folder first")


def _check_exists(path: str, remedy: str) -> str:
    if not Path(path).is_file():
        raise FileNotFoundError(f"config '{path}' does not exist; {remedy}")
    return path


def merge_common(cfg: Config, args, persistent_workers: bool | None = None) -> Config:
    """Merge ``--cfg-options``, work dir, launcher and the loaders' defaults."""
    from mmengine.config import ConfigDict

    from cfcn_plugin.mm.annotation_files import check_annotation_files

    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        names = [Path(name).stem for name in (args.config, args.guide) if name]
        cfg.work_dir = str(Path('work_dirs', '_'.join(names)))
    defaults = ConfigDict(pin_memory=True, collate_fn=dict(type='default_collate'))
    if persistent_workers is not None:
        defaults.persistent_workers = persistent_workers
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is None:
            continue
        loader = ConfigDict({**deepcopy(defaults), **loader})
        if args.no_pin_memory:
            loader.pin_memory = False
        if persistent_workers is False or not loader.get('num_workers'):
            loader.persistent_workers = False
        cfg[f'{split}_dataloader'] = loader
        check_annotation_files(loader, f'{split}_dataloader.')
    return cfg
