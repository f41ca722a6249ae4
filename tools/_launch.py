"""What the launch scripts share: arguments, loaders, and processes on CPUs."""
import argparse
import os
from copy import deepcopy
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict, DictAction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--no-pin-memory',
        action='store_true',
        help='do not pin memory in dataloaders')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings of the config, key=value; lists as key="[a,b]"')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(path: str) -> Config:
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"config '{path}' does not exist; `python -m cfcn_plugin` shows where "
            'those of the package are')
    return Config.fromfile(path)


def merge_common(cfg: Config, args, persistent_workers: bool | None = None) -> Config:
    """``--cfg-options``, work dir, launcher and the loaders' defaults."""
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(args.config).stem))
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
    return cfg


def prepare_distributed(cfg: Config) -> None:
    """Start gloo where there is no GPU: mmengine's own start asks for CUDA."""
    if cfg.launcher == 'none' or torch.cuda.is_available() or 'RANK' not in os.environ:
        return
    torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)
