"""Run a grid of trainings, and write its table and report.

Each cell runs `tools/train.py` and `tools/test.py`. Finished cells are not run again,
so the same command continues after a kill, or after cells were added to the grid.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
import shlex
import sys
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('grid', type=Path, help='see configs/experiments')
    parser.add_argument(
        '--work-dir', type=Path, help='default: work_dirs/NAME of the grid'
    )
    parser.add_argument(
        '--jobs',
        type=int,
        help='number of parallel runs; default: 1, or one per GPU; in a queue: all',
    )
    parser.add_argument(
        '--threads',
        type=int,
        help='CPU threads of a run; default: the cores divided '
        'by the jobs, or cpus_per_task of a queue',
    )
    parser.add_argument(
        '--gpus', default='', metavar='0,1', help='CUDA devices for the jobs'
    )
    parser.add_argument(
        '--executor',
        metavar='local|slurm|debug',
        default='local',
        help='where runs '
        "run: on this machine, in a cluster's queue, or in this process one by one",
    )
    parser.add_argument(
        '--executor-options',
        nargs='+',
        action=_launch.KeyValues,
        default={},
        metavar='KEY=VALUE',
        help='of submitit.AutoExecutor, such as timeout_min=600 '
        'gpus_per_node=1 slurm_partition=NAME',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='continue interrupted cells from their last checkpoint instead of from '
        'the start; checkpoints have no random states, so results then depend on the '
        'interruption',
    )
    parser.add_argument(
        '--retry',
        action='store_true',
        help='run failed cells again, with --resume from their last checkpoint',
    )
    parser.add_argument('--report-only', action='store_true', help='run nothing')
    parser.add_argument(
        '--page',
        type=Path,
        metavar='PAGE.md',
        help='also write the table between the markers of this page',
    )
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from mmengine.logging import MMLogger

from cfcn_plugin.experiments.outcome import read_outcomes
from cfcn_plugin.experiments.read_grid import read_grid
from cfcn_plugin.experiments.report import write_report
from cfcn_plugin.experiments.run import run_grid
from cfcn_plugin.experiments.table import (
    format_markdown,
    summarise,
    tidy,
    write_csv,
    write_into_page,
)
from cfcn_plugin.mm.safe_loading import enable_safe_loading


def main(args: argparse.Namespace) -> None:
    MMLogger.get_current_instance().setLevel('WARNING')  # no line per config
    enable_safe_loading()  # the report loads checkpoints
    grid = read_grid(args.grid)
    work_dir = args.work_dir or Path('work_dirs', grid.name)
    if args.report_only:
        if not work_dir.is_dir():
            raise FileNotFoundError(
                f"--report-only: folder '{work_dir}' does not exist: run the grid "
                'first, or give its --work-dir'
            )
        known = read_outcomes(grid, work_dir)
    else:
        gpus = [gpu for gpu in args.gpus.split(',') if gpu]
        jobs = 1 if args.executor == 'local' else None
        known = run_grid(
            grid,
            work_dir,
            tools=Path(__file__).parent,
            jobs=args.jobs or len(gpus) or jobs,
            threads=args.threads,
            gpus=gpus,
            resume=args.resume,
            retry=args.retry,
            executor=args.executor,
            options=args.executor_options,
        )
    command = f'python {shlex.join(sys.argv)}'
    write_csv(work_dir / 'results.csv', tidy(grid, known))
    report = write_report(grid, known, work_dir, command)
    summary = summarise(grid, known)
    if not summary.empty:
        text = format_markdown(summary)
        print(text)
        if args.page:
            write_into_page(args.page, f'{text}\n\n```\n{command}\n```')
    failed = [outcome for outcome in known if outcome.status == 'failed']
    for outcome in failed:
        print(f'\n{outcome.cell.name} failed, {outcome.error}')
    print(f'\n{report}')
    if failed:
        raise SystemExit(
            f'{len(failed)} of {len(known)} runs failed; --retry runs them again'
        )
    if not args.report_only and any(o.status == 'pending' for o in known):
        raise SystemExit('some runs were stopped; run the same command to finish them')


if __name__ == '__main__':
    main(ARGS)
