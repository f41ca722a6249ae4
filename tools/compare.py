"""Train configs with several seeds, test them, and put the results side by side.

Each run is a normal `tools/train.py` and `tools/test.py` in its own work dir; a run
that has finished is not run again. The table has mean, standard deviation and number
of seeds, over the test split.
"""
import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

TOOLS = Path(__file__).parent
DONE = 'test_metrics.json'
BEGIN, END = '<!-- table -->', '<!-- end of table -->'


def train_and_test(config: Path, seed: int, work_dir: Path,
                   options: list[str]) -> dict:
    """Metrics of one run, trained and tested unless that was done before."""
    done = work_dir / DONE
    if not done.is_file():
        options = [f'randomness.seed={seed}', *options]
        work_dir.mkdir(parents=True, exist_ok=True)
        with (work_dir / 'output.log').open('w') as log:
            common = ['--work-dir', work_dir, '--cfg-options', *options]
            _run(log, TOOLS / 'train.py', config, *common)
            checkpoint = (work_dir / 'last_checkpoint').read_text().strip()
            _run(log, TOOLS / 'test.py', config, checkpoint, '--out', done,
                 '--out-item', 'metrics', *common)
    return json.loads(done.read_text())


def _run(log, *command) -> None:
    command = [sys.executable, *map(str, command)]
    code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode
    if code:
        tail = ''.join(Path(log.name).read_text().splitlines(keepends=True)[-5:])
        raise SystemExit(f'{shlex.join(command)} failed with exit code {code}, see '
                         f'{log.name}:\n{tail}')


def spread(values: list[float]) -> str:
    if len(values) == 1:
        return f'{values[0]:.1f}'
    return f'{mean(values):.1f} ± {stdev(values):.1f}'


def table(results: dict[str, list[dict]], metrics: list[tuple]) -> str:
    """A markdown table: a line a config, a column a metric (title, key, scale)."""
    lines = ['| config | ' + ' | '.join(m[0] for m in metrics) + ' | seeds |']
    lines.append('|---' * (len(metrics) + 2) + '|')
    for name, runs in results.items():
        cells = [
            spread([scale * run[key] for run in runs]) for _, key, scale in metrics
        ]
        lines.append(f'| {name} | ' + ' | '.join(cells) + f' | {len(runs)} |')
    return '\n'.join(lines)


def write(path: Path, text: str) -> None:
    """Put the table into a page, between its marks; the rest of the page stays."""
    page = path.read_text(encoding='utf-8') if path.is_file() else f'{BEGIN}\n{END}\n'
    if BEGIN not in page or END not in page.split(BEGIN)[1]:
        raise SystemExit(f"'{path}' has no lines {BEGIN} and {END} to put the table "
                         f'between; the table:\n{text}')
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f'{before}{BEGIN}\n{text}\n{END}{after}', encoding='utf-8')


def parse_metric(text: str) -> tuple[str, str, float]:
    """``title=key`` or ``title=key*100``."""
    title, _, key = text.rpartition('=')
    key, _, scale = key.partition('*')
    return title or key, key, float(scale or 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('configs', nargs='+', type=Path)
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--metrics',
        type=parse_metric,
        nargs='+',
        required=True,
        metavar='TITLE=KEY[*SCALE]',
        help='columns: a title, the logged key, a factor')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/compare'))
    parser.add_argument('--out', type=Path, help='also write the table to this file')
    parser.add_argument('--options', nargs='*', default=[], metavar='KEY=VALUE')
    args = parser.parse_args()
    results = {}
    for config in args.configs:
        results[config.stem] = []
        for seed in args.seeds:
            work_dir = args.work_dir / config.stem / f'seed{seed}'
            print(f'{config.stem}, seed {seed} ...', flush=True)
            results[config.stem].append(
                train_and_test(config, seed, work_dir, args.options))
    text = table(results, args.metrics)
    print(text)
    if args.out:
        write(args.out, f'{text}\n\n```\npython {shlex.join(sys.argv)}\n```')


if __name__ == '__main__':
    main()
