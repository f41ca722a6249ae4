"""Copy a checkpoint that only its maker's friends should open, for everybody to open.

Opening such a file runs whatever it holds, with your rights, on this machine. The copy
has its weights, numbers and texts, and no code. docs/safety.md tells more.
"""
import argparse

from cfcn_plugin.mm.clean_checkpoint import clean_checkpoint


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='the file whose maker you trust')
    parser.add_argument('out', help='the copy')
    parser.add_argument(
        '--i-trust-this-file', action='store_true', required=True,
        help='say that you know who made the file, and let it run')
    args = parser.parse_args()
    dropped = clean_checkpoint(args.checkpoint, args.out)
    print(f'wrote {args.out}' + (f', without {", ".join(dropped)}' if dropped else ''))


if __name__ == '__main__':
    main()
