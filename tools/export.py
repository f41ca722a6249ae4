"""Export a trained guided model as a stock model, independent of cfcn_plugin."""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('config', help='config, preferably that of the work dir')
    parser.add_argument('checkpoint')
    parser.add_argument('--to', choices=['mmpretrain', 'timm'], required=True)
    parser.add_argument(
        '--out', required=True, help='path of the output, without suffix'
    )
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from cfcn_plugin.mm.export import export_mmpretrain, export_timm, timm_arguments


def main(args: argparse.Namespace) -> None:
    cfg = _launch.load_config(args.config)
    export = export_mmpretrain if args.to == 'mmpretrain' else export_timm
    for path in export(cfg, args.checkpoint, args.out):
        print(f'wrote {path}')
    if args.to == 'timm':
        call = ', '.join(f'{k}={v!r}' for k, v in timm_arguments(cfg).items())
        print(
            f"load it with timm.create_model('local-dir:{args.out}', pretrained=True)"
            f', and its preprocessing with timm.data.resolve_model_data_config(model)'
            f'. The weights alone: timm.create_model({call}, '
            f"checkpoint_path='{args.out}.pth')"
        )


if __name__ == '__main__':
    main(ARGS)
