"""Refit the last layer of a trained model on other images' backgrounds, in minutes.

The checkpoint may be of a stock model. Only images with a mask are used, and a few are
enough. The new checkpoint has the same keys, and is for the same config.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('config', help='guided config, or a stock one and --guide')
    parser.add_argument('checkpoint', help='trained checkpoint')
    parser.add_argument('--out', type=Path, help='path of the repaired checkpoint')
    parser.add_argument(
        '--dry-run', action='store_true', help='say what a repair gains, write nothing'
    )
    parser.add_argument(
        '--views', type=int, default=4, help='other backgrounds for each image'
    )
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--device', help='default: cuda if there is one, else cpu')
    parser.add_argument(
        '--amp', action='store_true', help='run the network in bfloat16'
    )
    parser.add_argument(
        '--memory',
        type=float,
        metavar='GIB',
        help='what the features and the fit may '
        'take; by default half of the memory of the machine',
    )
    _launch.add_config_arguments(parser)
    args = parser.parse_args()
    if bool(args.out) == args.dry_run:
        parser.error('give either --out FILE or --dry-run')
    return args


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

import torch
from mmengine.logging import MMLogger

from cfcn_plugin.mm.repair import repair_checkpoint


def main(args: argparse.Namespace) -> None:
    if args.out:
        _launch.check_new_file(args.out)
    MMLogger.get_current_instance().setLevel('WARNING')
    cfg = _launch.load_config(args.config, args.guide)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    report = repair_checkpoint(
        cfg,
        args.checkpoint,
        args.out,
        args.batch_size,
        args.workers,
        args.device or ('cuda' if torch.cuda.is_available() else 'cpu'),
        args.amp,
        views=args.views,
        seed=args.seed,
        memory=args.memory and args.memory * 2**30,
    )
    print(report)
    if args.out:
        print(f'wrote {args.out}')


if __name__ == '__main__':
    main(ARGS)
