"""Check all masks of a config's data before training on them.

Loads each image and mask like the config's pipeline, and lists masks that are missing,
empty, of another size than the image, unreadable, or probably inverted. Says what focus
the guided map can reach with these masks. The exit code
is 1 if a problem would stop a training run under the config's own policies.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
import json
import sys
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument('--split', choices=['train', 'val', 'test'], default='train')
    parser.add_argument('--jobs', type=int, default=2, help='processes')
    parser.add_argument(
        '--sheet', type=Path, help='new PNG of suspicious images with their masks'
    )
    parser.add_argument(
        '--most', type=int, default=48, help='images on the sheet at most'
    )
    parser.add_argument(
        '--draws',
        type=int,
        default=0,
        help='send each guided image through the whole pipeline this many times, and '
        'count how often its object is cropped out',
    )
    parser.add_argument('--json', type=Path, help='new file for all findings')
    _launch.add_config_arguments(parser)
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from mmengine.config import Config
from rich.progress import track

from cfcn_plugin.annotation.parallel_map import parallel_map
from cfcn_plugin.annotation.report import Report, unmatched_messages
from cfcn_plugin.annotation.validate import KINDS, Finding, MaskValidator
from cfcn_plugin.mm.annotation.guided_grid import guided_grid
from cfcn_plugin.mm.annotation.samples import guided_datasets
from cfcn_plugin.visualization.contact_sheet import Entry, contact_sheet


def main(args: argparse.Namespace) -> None:
    for file in filter(None, (args.sheet, args.json)):
        _launch.check_new_file(file)
    cfg = _launch.load_config(args.config, args.guide)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    datasets = guided_datasets(cfg, args.split, args.draws)
    grid = find_grid(cfg, args.split)
    validator = MaskValidator(datasets, grid)
    places = validator.places
    findings = list(
        track(parallel_map(validator, places, args.jobs), 'checking', len(places))
    )
    report = Report(
        findings,
        unmatched_messages(datasets),
        datasets[0].classes,
        has_check_hook(cfg),
        grid,
    )
    print(report)
    if args.json:
        args.json.write_text(
            json.dumps(report.as_dict(), indent=1) + '\n', encoding='utf-8'
        )
    suspicious = report.suspicious
    if args.sheet and suspicious:
        entries = [entry(validator, finding) for finding in suspicious[: args.most]]
        contact_sheet(
            args.sheet, entries, f'{len(entries)} of {len(suspicious)} to check'
        )
        print(f'Contact sheet: {args.sheet}')
    elif args.sheet:
        print('No contact sheet: no image is suspicious.')
    sys.exit(int(report.stops))


def find_grid(cfg: Config, split: str) -> tuple[int, int] | None:
    """The guided map's size; an error of the model or an image is none of the masks."""
    try:
        return guided_grid(cfg, split)
    except Exception as error:
        print(f'The size of the guided map is not known: {error}')
        return None


def has_check_hook(cfg: Config) -> bool:
    return any(
        hook['type'] == 'GuidanceCheckHook' and hook.get('sources', True)
        for hook in cfg.get('custom_hooks') or ()
    )


def entry(validator: MaskValidator, finding: Finding) -> Entry:
    """Load the image and mask of a finding."""
    image = mask = None
    if finding.problems[0].kind != 'image':
        image = validator.load_image(finding.place)
        mask = validator.load_mask(finding.place, image.shape[:2])
    reason = '; '.join(KINDS[problem.kind] for problem in finding.problems)
    return Entry(
        image,
        mask,
        finding.image,
        reason,
        any(problem.stops for problem in finding.problems),
    )


if __name__ == '__main__':
    main(ARGS)
