"""Convert the masks of any source to a folder of PNG masks with an index.

  make_masks.py --images data/x/train --out data/x/masks \\
      --source type=COCOMasks data_root=data/x images=train ann_file=instances.json
  make_masks.py FILE --images data/x/train --out data/x/masks   FILE has source=dict()
  make_masks.py CONFIG --out data/x/masks            masks of its training pipeline

--refine grabcut makes outlines of boxes (of points and scribbles by --refine-options
mark=inside). What has no outline becomes the ellipse in its mark, or stays; both are
counted and listed, and the worst are on the --sheet.

The same command continues a killed run. Existing files are overwritten only with
--overwrite. The last printed lines are the config of the mask source.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
import sys
from pathlib import Path

import _launch
import _one_line_errors

# one iteration is as near to true outlines as three, in half the time (docs/masks.md)
REFINE = dict(grabcut=dict(iterations=1))


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('config', nargs='?', help='a config, or a file with a `source`')
    parser.add_argument(
        '--source',
        nargs='+',
        action=_launch.KeyValues,
        help='the mask source: KEY=VALUE ...',
    )
    parser.add_argument('--images', type=Path, help='folder of images')
    parser.add_argument('--split', default='train', help="which of CONFIG's data")
    parser.add_argument('--out', type=Path, required=True, help='folder of masks')
    parser.add_argument(
        '--classes',
        choices=['union', 'values', 'folders'],
        default='union',
        help='output for one mask per class: one mask (union), a label file with the '
        'value class + 1 (values), or a folder per class (folders)',
    )
    parser.add_argument(
        '--exif',
        action='store_true',
        help='masks are like the stored pixels: exif=True of LoadActivationMask',
    )
    parser.add_argument(
        '--rescale',
        action='store_true',
        help='scale masks of another size and the same proportions to their images',
    )
    parser.add_argument('--refine', choices=list(REFINE), help='marks become outlines')
    parser.add_argument(
        '--refine-options',
        nargs='+',
        action=_launch.KeyValues,
        default={},
        help='options of GrabCut: KEY=VALUE ...',
    )
    parser.add_argument(
        '--sheet', type=Path, help='new PNG of the images with the worst outlines'
    )
    parser.add_argument('--jobs', type=int, default=2, help='processes')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace existing masks'
    )
    args = parser.parse_args()
    if args.refine is None and (args.refine_options or args.sheet):
        parser.error('--refine-options and --sheet need --refine')
    return args


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from mmpretrain.registry import TASK_UTILS
from rich.progress import track

from cfcn_plugin.annotation.convert import INDEX, MaskConverter, convert_masks
from cfcn_plugin.annotation.mask_index import IndexRow
from cfcn_plugin.annotation.mask_values import UNKNOWN, UNKNOWN_CLASS
from cfcn_plugin.annotation.outline_report import outline_lines, worst_outlines
from cfcn_plugin.annotation.png_folder import png_masks_config
from cfcn_plugin.annotation.samples import FolderSamples
from cfcn_plugin.masks import GrabCut, MaskLoader
from cfcn_plugin.mm.annotation.samples import guided_datasets
from cfcn_plugin.printable import printable
from cfcn_plugin.visualization.contact_sheet import contact_sheet


def main(args: argparse.Namespace) -> None:
    if args.sheet:
        _launch.check_new_file(args.sheet)
    refine = args.refine and GrabCut(**{**REFINE[args.refine], **args.refine_options})
    samples, source = read_samples(args)
    loader = samples.loader
    origin = dict(
        source=source,
        images=str(Path(samples.root).absolute()),
        classes=args.classes,
        exif=loader.exif,
    )
    if refine:
        origin['refine'] = repr(refine)
    if loader.rescale:
        origin['rescale'] = True
    converter = MaskConverter(samples, args.out, args.classes, args.overwrite, refine)
    results = list(
        track(convert_masks(converter, origin, args.jobs), 'masks', len(samples))
    )
    made = [result.rows for result in results if result.rows]
    failures = [result for result in results if result.failure]
    print(printable(f'{len(made)} of {len(samples)} images have a mask in {args.out}'))
    if refine:
        print('\n'.join(map(printable, outline_lines(results, args.out / INDEX))))
    worst = worst_outlines(results, samples.root, args.out) if args.sheet else ()
    if worst:
        contact_sheet(args.sheet, worst, 'The worst outlines')
        print(f'Contact sheet: {args.sheet}')
    print_config(args, samples.root, made)
    if failures:
        print(f'\n{len(failures)} images have a mask that could not be converted:')
        for result in failures:
            print(printable(f'  {result.image}: {result.failure}'))
    if not made and len(failures) < len(results):
        keys = [loader.source.key(samples[i]) for i in range(min(2, len(samples)))]
        sys.exit(
            "No image has a mask. The source's names begin with "
            f'{loader.source.keys()[:2]}, those of the images with {keys}'
        )
    if failures:
        sys.exit(1)


def read_samples(args: argparse.Namespace) -> tuple:
    """The images with the loader of their masks, and the config of the source."""
    cfg = None if args.config is None else _launch.load_config(args.config)
    if cfg is not None and f'{args.split}_dataloader' in cfg:
        if args.source or args.images:
            raise ValueError('CONFIG defines source and images: give CONFIG alone')
        datasets = guided_datasets(cfg, args.split)
        if len(datasets) > 1:
            raise ValueError(
                f'CONFIG has {len(datasets)} data sets with masks: give '
                '--source and --images of one'
            )
        return datasets[0], datasets[0].load_config.to_dict()
    source = args.source if cfg is None else cfg.get('source')
    if source is None or args.images is None or (args.source and cfg):
        raise ValueError(
            'give CONFIG, or --source KEY=VALUE ... with --images, or a '
            'file with a `source` with --images'
        )
    loader = MaskLoader(
        TASK_UTILS.build(dict(source)), exif=args.exif, rescale=args.rescale
    )
    return FolderSamples(args.images, loader, leave_out=args.out), dict(source)


def print_config(
    args: argparse.Namespace, root: str, made: list[tuple[IndexRow, ...]]
) -> None:
    """Print a summary of the masks, and the config of their source.

    Args:
        args: The tool's arguments.
        root: The folder of images.
        made: The mask files of each image that has a mask.
    """
    empty = sum(any(row.area == 0 for row in rows) for rows in made)
    ignored = any(row.ignored > 0 for rows in made for row in rows)
    classes = sorted(
        {int(label) for rows in made for row in rows for label in row.classes.split()}
    )
    if empty:
        print(f'{empty} masks have no causal pixel: see `empty` of LoadActivationMask')
    options, folders = {}, [args.out]
    if classes and args.classes == 'values':
        options = dict(causal=[c + 1 for c in classes], classes=classes)
    elif classes and args.classes == 'folders':
        folders = [args.out / str(label) for label in classes]
    elif classes:
        print(f'Classes {classes} became one mask; --classes keeps them apart.')
    if ignored:
        options['ignore'] = [UNKNOWN_CLASS if 'classes' in options else UNKNOWN]
    print('In the config:')
    for folder in folders:
        source = png_masks_config(root, folder, root, **options)
        inner = ', '.join(f'{key}={value!r}' for key, value in source.items())
        print(f'  source=dict({inner})')


if __name__ == '__main__':
    main(ARGS)
