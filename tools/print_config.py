"""Print the complete config of a run, with inherited parts and guidance.

`--out FILE.py` writes a config that can be trained.
"""
import argparse
from pathlib import Path

import _launch


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path, or mmpretrain::FAMILY/NAME.py')
    _launch.add_config_arguments(parser)
    parser.add_argument('--out', type=Path, help='file to write instead of printing')
    args = parser.parse_args()
    cfg = _launch.load_config(args.config, args.guide)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.out is None:
        print(cfg.pretty_text)
        return
    _launch.check_new_file(args.out)
    cfg.dump(args.out)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    main()
