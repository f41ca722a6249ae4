"""Check all that timm, torchvision, transformers and mmpretrain ship.

The results go to the pages of docs/.

    python tests/sweeps backbones --page docs/backbones.md
    python tests/sweeps classifiers --page docs/backbones.md
    python tests/sweeps zoo --page docs/zoo.md
    python tests/sweeps pipelines --page docs/pipelines.md

A sweep takes hours on two cores. A killed one goes on where it was.
"""

import argparse
import logging
import sys
import warnings
from importlib import import_module
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / 'helpers'))
from driver import Sweep


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'sweep', choices=('backbones', 'classifiers', 'zoo', 'pipelines')
    )
    parser.add_argument('--only', default='*', help='pattern of the names to check')
    parser.add_argument(
        '--records',
        type=Path,
        default=Path('work_dirs/sweeps'),
        help='folder of results; remove it to begin anew',
    )
    parser.add_argument('--page', type=Path, help='write the tables to this page')
    parser.add_argument('--limit', type=int, default=600, help='seconds a name')
    parser.add_argument('--jobs', type=int, default=2)
    args = parser.parse_args()
    warnings.filterwarnings('ignore')
    logging.disable(logging.INFO)  # mmengine logs every stage and parameter
    sweep = Sweep(args.records / args.sweep, args.only, args.limit, args.jobs)
    for mark, text in import_module(args.sweep).tables(sweep):
        print(text)
        if args.page is not None:
            write(args.page, mark, text)


def write(page: Path, mark: str, text: str) -> None:
    """Put a table between its two marks."""
    mark = f'<!-- {mark} -->'
    before, after = page.read_text().split(mark)[::2]
    page.write_text(f'{before}{mark}\n{text}\n{mark}{after}')


if __name__ == '__main__':
    main()
