"""Print the complete config of a run, with inherited parts and guidance.

`--out FILE.py` writes a config that can be trained. A model or weights that a training
would refuse are an error.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('config', help='path, or mmpretrain::FAMILY/NAME.py')
    _launch.add_config_arguments(parser)
    parser.add_argument('--out', type=Path, help='file to write instead of printing')
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from cfcn_plugin.mm.config.check_model import check_model


def main(args: argparse.Namespace) -> None:
    cfg = _launch.load_config(args.config, args.guide)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    check_model(cfg)
    if args.out is None:
        print(cfg.pretty_text)
        return
    _launch.check_new_file(args.out)
    cfg.dump(args.out)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    main(ARGS)
