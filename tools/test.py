"""Test a model on one or several devices; the arguments are mmpretrain's."""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
import os
from copy import deepcopy

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser('Test (and evaluate) a model')
    parser.add_argument('config', help='test config file path')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--work-dir', help='the directory to save the evaluation metrics'
    )
    parser.add_argument('--out', help='the file to output results')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        default='pred',
        help='whether to output metrics or predictions',
    )
    parser.add_argument(
        '--amp', action='store_true', help='enable automatic mixed precision'
    )
    parser.add_argument('--show-dir', help='where to save images of predictions')
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='show every INTERVAL-th sample'
    )
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds a window is shown'
    )
    parser.add_argument(
        '--tta', action='store_true', help='average over the flipped image'
    )
    _launch.add_arguments(parser)
    args = parser.parse_args()
    endings = ('.pkl', '.pickle') + (
        ('.json', '.yaml', '.yml') if args.out_item == 'metrics' else ()
    )
    if args.out and not args.out.endswith(endings):
        parser.error(f"--out '{args.out}' must end with one of {', '.join(endings)}")
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

import _processes
import mmengine
from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.evaluator import DumpResults
from mmengine.runner import Runner

from cfcn_plugin.mm.config.guide import as_list
from cfcn_plugin.mm.datasets.wrappers import dataset_configs
from cfcn_plugin.mm.engine import ModelAwareLoopHook


def merge_args(cfg: Config, args) -> Config:
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir:
        cfg.default_hooks.visualization.update(
            enable=True,
            show=args.show,
            wait_time=args.wait_time,
            out_dir=args.show_dir,
            interval=args.interval,
        )
    if args.tta:
        _use_tta(cfg)
    return _launch.merge_common(cfg, args)


def _use_tta(cfg: Config) -> None:
    cfg.setdefault('tta_model', dict(type='mmpretrain.AverageClsScoreTTA'))
    # data sets may share a pipeline, also with other splits
    cfg.test_dataloader = deepcopy(cfg.test_dataloader)
    for _, dataset in dataset_configs(cfg.test_dataloader.dataset):
        if 'pipeline' in dataset:
            dataset['pipeline'] = cfg.get('tta_pipeline') or _tta_pipeline(
                dataset['pipeline']
            )
    evaluators = as_list(cfg.test_evaluator)
    cfg.test_evaluator = [m for m in evaluators if m['type'] != 'FocusMetric']
    cfg.model = ConfigDict(**cfg.tta_model, module=cfg.model)


def _tta_pipeline(pipeline: list) -> list:
    """A test pipeline that gives the flipped image and the image."""
    from mmpretrain.datasets import PackInputs

    if any(step['type'] == 'TestTimeAug' for step in pipeline):
        return pipeline  # of a data set that stands in the config twice
    # load no masks: averaged predictions have no single map
    stock = [
        step for step in deepcopy(pipeline) if step['type'] != 'LoadActivationMask'
    ]
    flips = [dict(type='RandomFlip', prob=p) for p in (1.0, 0.0)]
    pack = dict(type='PackInputs', meta_keys=(*PackInputs.DEFAULT_META_KEYS, 'group'))
    return [*stock[:-1], dict(type='TestTimeAug', transforms=[flips, [pack]])]


class StrictRunner(Runner):
    """A runner for which all weights of a checkpoint must fit the model.

    mmengine's runner warns, and tests layers without weights in the checkpoint as they
    were initialized.
    """

    def load_checkpoint(self, filename, map_location='cpu', strict=True, **options):
        return super().load_checkpoint(filename, map_location, strict, **options)


def test(cfg: Config, args) -> None:
    runner = StrictRunner.from_cfg(cfg)
    runner.register_hook(ModelAwareLoopHook())  # for configs without the hook
    if args.out and args.out_item == 'pred':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    metrics = runner.test()
    if args.out and args.out_item == 'metrics' and is_main_process():
        mmengine.dump(
            {
                key: value.tolist() if hasattr(value, 'tolist') else value
                for key, value in metrics.items()
            },
            args.out,
        )


def main(args: argparse.Namespace) -> None:
    cfg = merge_args(_launch.load_config(args.config, args.guide), args)
    with _processes.processes(cfg):
        test(cfg, args)


if __name__ == '__main__':
    main(ARGS)
