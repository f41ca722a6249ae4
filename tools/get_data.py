"""Fetch or make a data set."""
import argparse
import os
import shutil
from pathlib import Path


def get_textured_digits(root: Path) -> Path:
    from cfcn_plugin.datasets.textured_digits import write_textured_digits
    return write_textured_digits(root / 'textured-digits')


def get_pets(root: Path) -> Path:
    """Oxford-IIIT Pets by torchvision's downloader (about 800 MB)."""
    from torchvision.datasets import OxfordIIITPet
    OxfordIIITPet(str(root), target_types='segmentation', download=True)
    for archive in (root / 'oxford-iiit-pet').glob('*.tar.gz'):
        print(f'{archive} may be deleted')
    return root / 'oxford-iiit-pet'


def get_waterbirds(root: Path) -> Path:
    raise SystemExit(
        'Waterbirds is not fetched: its birds (CUB-200-2011, Caltech) are for '
        'non-commercial research and its backgrounds (Places) for academic use. Build '
        "it with its authors' scripts and lay it out as "
        f'{root / "waterbirds100"}/labels.csv '
        'with the columns filename,label,split,place,x0,y0,x1,y1 (docs/data.md)')


GETTERS = {
    'pets': get_pets,
    'textured-digits': get_textured_digits,
    'waterbirds': get_waterbirds,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('name', choices=sorted(GETTERS))
    parser.add_argument(
        '--root',
        type=Path,
        default=Path(os.environ.get('CFCN_DATA', 'data')),
        help='folder of all data sets (default: $CFCN_DATA, else data)')
    args = parser.parse_args()
    args.root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(args.root).free
    print(f'{args.name} goes to {args.root.absolute()} ({free >> 30} GB free)')
    print(f'done: {GETTERS[args.name](args.root)}')


if __name__ == '__main__':
    main()
