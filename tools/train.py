"""Train a model on one or several devices; the arguments are mmpretrain's."""

# ruff: noqa: E402  (arguments and signals come before the slow imports)
import argparse
import os

import _early_exit
import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser('Train a model')
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--work-dir', help='the dir to save logs and models')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='resume from a checkpoint; without a path, from the newest complete one '
        'in the work directory; if there is none, start from the beginning',
    )
    parser.add_argument(
        '--exact-resume',
        action='store_true',
        help='seed each sample and iteration, so that a resumed run equals an '
        'uninterrupted run bit for bit; must be given from the start',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='enable automatic mixed precision: float16 on GPUs, bfloat16 on CPUs',
    )
    parser.add_argument(
        '--no-validate',
        action='store_true',
        help='do not evaluate the checkpoint during training',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the actual batch size',
    )
    parser.add_argument(
        '--no-persistent-workers',
        action='store_true',
        help='start new data workers in each epoch',
    )
    _launch.add_arguments(parser)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()
    _early_exit.install()

import _processes
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import FlexibleRunner, Runner

from cfcn_plugin.mm.engine import ResumableRunner
from cfcn_plugin.work_dir import has_checkpoint


def _use_amp(optim_wrapper: dict) -> None:
    if get_device() == 'cpu':
        optim_wrapper['type'] = 'CPUAmpOptimWrapper'
        for key in ('loss_scale', 'dtype'):  # settings of the GPU's wrapper
            optim_wrapper.pop(key, None)
    else:
        optim_wrapper['type'] = 'AmpOptimWrapper'
        optim_wrapper.setdefault('loss_scale', 'dynamic')


def merge_args(cfg: Config, args) -> Config:
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        _use_amp(cfg.optim_wrapper)
    if args.exact_resume:
        cfg.exact_resume = True
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise ValueError(
                f"--auto-scale-lr: '{args.config}' has no `auto_scale_lr`, e.g. "
                'auto_scale_lr=dict(base_batch_size=256)'
            )
        cfg.auto_scale_lr.enable = True
    cfg = _launch.merge_common(
        cfg, args, persistent_workers=not args.no_persistent_workers
    )
    if args.resume not in (None, 'auto'):
        cfg.resume, cfg.load_from = True, args.resume
    elif args.resume is not None and has_checkpoint(cfg.work_dir):
        cfg.resume, cfg.load_from = True, None
    return cfg


def build_runner(cfg: Config) -> Runner | FlexibleRunner:
    # configs set `runner_type` for strategies such as FSDP
    return RUNNERS.build(cfg) if 'runner_type' in cfg else ResumableRunner.from_cfg(cfg)


def train(cfg: Config) -> None:
    runner = build_runner(cfg)
    if not isinstance(runner, ResumableRunner):  # it saves nothing on a signal
        _early_exit.remove()
    runner.train()


def main(args: argparse.Namespace) -> None:
    try:
        cfg = merge_args(_launch.load_config(args.config, args.guide), args)
        with _processes.processes(cfg), _processes.lock_work_dir(cfg):
            train(cfg)
    finally:
        _early_exit.remove()


if __name__ == '__main__':
    main(ARGS)
