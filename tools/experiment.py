"""Run a grid of trainings, and write its table and report.

Each cell is a normal `tools/train.py` and `tools/test.py`; a finished one is never run
again, so that the same command goes on after a kill, or after the grid has grown.
"""
import argparse
from pathlib import Path

from cfcn_plugin.experiments.grid import read_grid
from cfcn_plugin.experiments.run import outcomes, run_grid


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('grid', type=Path, help='see configs/experiments')
    parser.add_argument(
        '--work-dir', type=Path, help='work_dirs/NAME of the grid, if left out')
    parser.add_argument(
        '--jobs', type=int, help='runs at once; 1, or one a GPU, if left out')
    parser.add_argument(
        '--threads', type=int, help='CPU threads of a run; a share of the cores, if '
        'left out')
    parser.add_argument(
        '--gpus', default='', metavar='0,1', help='CUDA devices to deal jobs out to')
    parser.add_argument(
        '--resume', action='store_true',
        help='half-run cells go on from their last checkpoint, else they start anew; '
        'random states are in no checkpoint, so the run is another than its seed says')
    parser.add_argument('--retry', action='store_true', help='run failed cells again')
    parser.add_argument(
        '--report-only', action='store_true', help='run nothing')
    parser.add_argument(
        '--page', type=Path, metavar='PAGE.md',
        help='also write the table into this page, between its marks')
    args = parser.parse_args()


if __name__ == '__main__':
    main()
