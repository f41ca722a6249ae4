"""Check all masks of a config's data before training on them.

Looks at each image and mask as the config's pipeline loads them, and tells what is
missing, empty, of another size, unreadable, or looks inverted. The exit code is 1 when
something would stop a training run under the config's own policies.
"""
import argparse
import json
import sys
from pathlib import Path

import _launch
import numpy as np
from mmengine.config import Config
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from cfcn_plugin.annotation.processes import in_processes
from cfcn_plugin.annotation.report import Report, strangers
from cfcn_plugin.annotation.samples import guided_datasets
from cfcn_plugin.annotation.validate import KINDS, Finding, Surveyor
from cfcn_plugin.visualization.contact_sheet import Entry, contact_sheet


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--split', choices=['train', 'val', 'test'], default='train')
    parser.add_argument('--jobs', type=int, default=2, help='processes')
    parser.add_argument(
        '--sheet', type=Path, help='PNG to write: suspicious images with their masks')
    parser.add_argument(
        '--most', type=int, default=48, help='images on the sheet at most')
    parser.add_argument(
        '--draws',
        type=int,
        default=0,
        help='send each guided image through the whole pipeline so many times, and '
        'tell how often crops leave its object out')
    parser.add_argument('--json', type=Path, help='file to write all findings to')
    _launch.add_config_arguments(parser)
    args = parser.parse_args()
    cfg = _launch.load_config(args.config, args.guide)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    guided = guided_datasets(cfg, args.split)
    surveyor = Surveyor(guided, args.draws)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(),
               TimeRemainingColumn())
    with Progress(*columns) as progress:
        places = surveyor.places
        findings = list(progress.track(
            in_processes(surveyor, places, args.jobs), len(places),
            description='looking'))
    report = Report(findings, strangers(guided), guided[0].classes, has_hook(cfg))
    print(report)
    if args.json:
        args.json.write_text(
            json.dumps(report.as_dict(), indent=1) + '\n', encoding='utf-8')
    if args.sheet and report.suspicious:
        entries = [entry(surveyor, one) for one in report.suspicious[:args.most]]
        contact_sheet(args.sheet, entries,
                      f'{len(entries)} of {len(report.suspicious)} to look at')
        print(f'Contact sheet: {args.sheet}')
    sys.exit(int(report.stops))


def has_hook(cfg: Config) -> bool:
    return any(hook['type'] == 'GuidanceCheckHook' and hook.get('sources', True)
               for hook in cfg.get('custom_hooks') or ())


def entry(surveyor: Surveyor, finding: Finding) -> Entry:
    """The finding's image and mask, loaded once more."""
    image = mask = None
    if finding.problems[0].kind != 'image':
        image = surveyor.image(finding.place)
        mask = surveyor.mask(finding.place, image.shape[:2])
        channels = image.shape[2] if image.ndim == 3 else 1
        # mmcv loads BGR
        image = image[..., ::-1] if channels == 3 else np.dstack([image] * 3)
    why = '; '.join(KINDS[problem.kind] for problem in finding.problems)
    return Entry(image, mask, finding.image, why,
                 any(problem.stops for problem in finding.problems))


if __name__ == '__main__':
    main()
