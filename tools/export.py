"""Export a trained guided model as a stock model, independent of cfcn_plugin."""
import argparse

import _launch

from cfcn_plugin.mm.export import export_mmpretrain, export_timm, timm_arguments


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config, preferably that of the work dir')
    parser.add_argument('checkpoint')
    parser.add_argument('--to', choices=['mmpretrain', 'timm'], required=True)
    parser.add_argument(
        '--out', required=True, help='path of the output, without suffix')
    args = parser.parse_args()
    cfg = _launch.load_config(args.config)
    export = export_mmpretrain if args.to == 'mmpretrain' else export_timm
    for path in export(cfg, args.checkpoint, args.out):
        print(f'wrote {path}')
    if args.to == 'timm':
        call = ', '.join(f'{k}={v!r}' for k, v in timm_arguments(cfg).items())
        print(f'load it with timm.create_model({call}, '
              f"checkpoint_path='{args.out}.pth')")


if __name__ == '__main__':
    main()
