"""Measure the cost of guidance, and write the table of docs/benchmarks.md.

    python -m benchmarks --page docs/benchmarks.md

The work dir keeps one file of results for each benchmark, so that ``--only`` can repeat
one benchmark and the table still has all results. A page also keeps its rows that the
work dir does not have.
"""

import argparse
import json
import os
import platform
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

from cfcn_plugin.experiments.table import BEGIN, END, write_into_page

from .loops import processes, runner
from .loss import compiled_loss, loss
from .masks import masks
from .pairs import Line, Ratio
from .plain_loop import plain_loop
from .repair import repairs
from .steps import guided_over_plain, on_gpu, other_methods, swap_over_plain
from .torch_masks import torch_masks

BENCHMARKS = dict(
    steps=guided_over_plain,
    loop=plain_loop,
    loss=loss,
    compiled=compiled_loss,
    methods=other_methods,
    swap=swap_over_plain,
    runner=runner,
    processes=processes,
    masks=masks,
    torch_masks=torch_masks,
    repair=repairs,
)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--only',
        nargs='+',
        choices=BENCHMARKS,
        metavar='NAME',
        help=f'some of: {", ".join(BENCHMARKS)}',
    )
    parser.add_argument('--pairs', type=int, default=30, help='measured pairs; 30')
    parser.add_argument(
        '--device',
        default='cpu',
        help='cpu, or cuda: steps in float16, of full batches; masks, torch_masks and '
        'processes are measured on CPUs',
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs', 'benchmarks'),
        help='folder of the results',
    )
    parser.add_argument(
        '--page',
        type=Path,
        metavar='PAGE.md',
        help='also write the rows into the table of this page, between its markers',
    )
    parser.add_argument(
        '--tiny', action='store_true', help='small sizes, for a smoke test'
    )
    args = parser.parse_args()
    if args.pairs < 1:
        parser.error(f'--pairs must be at least 1, got {args.pairs}')
    torch.set_num_threads(1)
    args.work_dir.mkdir(parents=True, exist_ok=True)
    for name in args.only or BENCHMARKS:
        started = time.perf_counter()
        lines = []
        for line in BENCHMARKS[name](args.pairs, args.device, args.tiny):
            lines.append(line)
            print(f'{line.what}: {line.ratio}, {line.unit}', flush=True)
        print(f'{name} took {time.perf_counter() - started:.0f} s', flush=True)
        keep(args.work_dir / f'{name}.json', lines)
    where = (
        torch.cuda.get_device_name() + ', float16'
        if on_gpu(args.device)
        else f'{os.cpu_count()} CPU cores ({platform.machine()}), one thread'
    )
    command = shlex.join(['python', '-m', 'benchmarks', *sys.argv[1:]])
    table = markdown(known(args.work_dir))
    if args.page and args.page.is_file():
        table = merged(args.page.read_text(encoding='utf-8'), table)
    text = f'{table}\n\n{where}, torch {torch.__version__}:\n\n```\n{command}\n```'
    if args.page:
        write_into_page(args.page, text)
    else:
        print(text)


def keep(file: Path, lines: list[Line]) -> None:
    file.write_text(json.dumps([asdict(line) for line in lines]), encoding='utf-8')


def known(work_dir: Path) -> list[Line]:
    """All measured lines, in the order of the benchmarks."""
    files = [work_dir / f'{name}.json' for name in BENCHMARKS]
    return [
        Line(**{**line, 'ratio': Ratio(**line['ratio'])})
        for file in files
        if file.is_file()
        for line in json.loads(file.read_text(encoding='utf-8'))
    ]


def markdown(lines: list[Line]) -> str:
    """One line for each ratio; a ratio that misses its aim is bold."""
    text = [
        '| what over what | ratio (95 % interval) | aim | one of the second |',
        '|---|---|---|---|',
    ]
    for line in lines:
        ratio = str(line.ratio) if line.met else f'**{line.ratio}**'
        aim = '' if line.aim is None else f'{line.aim:g}'
        text.append(f'| {line.what} | {ratio} | {aim} | {line.unit} |')
    return '\n'.join(text)


def merged(page: str, table: str) -> str:
    """A page's table, with the rows of ``table`` in place of those of the same name.

    New rows are last.
    """
    old = page.partition(BEGIN)[2].partition(END)[0]
    rows = [row for row in f'{old}\n{table}'.splitlines() if row.startswith('|')]
    return '\n'.join({row.split(' | ')[0]: row for row in rows}.values())


if __name__ == '__main__':
    main()
