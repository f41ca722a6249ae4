"""Convert a checkpoint that the tools refuse to a checkpoint that is safe to open.

Opening the original runs the code in the file, with your rights, on this machine. The
copy has the weights, numbers and strings, and no code. See docs/safety.md.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('checkpoint', help='the original, from a trusted author')
    parser.add_argument('out', help='the copy')
    parser.add_argument(
        '--i-trust-this-file',
        action='store_true',
        required=True,
        help='confirm that you trust the author and that the code may run',
    )
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from cfcn_plugin.mm.clean_checkpoint import clean_checkpoint


def main(args: argparse.Namespace) -> None:
    dropped = clean_checkpoint(args.checkpoint, args.out)
    print(f'wrote {args.out}' + (f', without {", ".join(dropped)}' if dropped else ''))


if __name__ == '__main__':
    main(ARGS)
