"""Convert a checkpoint that the tools refuse to a checkpoint that is safe to open.

Opening the original runs the code in the file, with your rights, on this machine. The
copy has the weights, numbers and strings, and no code. See docs/safety.md.
"""
import argparse

from cfcn_plugin.mm.clean_checkpoint import clean_checkpoint


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='the original, from a trusted author')
    parser.add_argument('out', help='the copy')
    parser.add_argument(
        '--i-trust-this-file', action='store_true', required=True,
        help='confirm that you trust the author and that the code may run')
    args = parser.parse_args()
    dropped = clean_checkpoint(args.checkpoint, args.out)
    print(f'wrote {args.out}' + (f', without {", ".join(dropped)}' if dropped else ''))


if __name__ == '__main__':
    main()
