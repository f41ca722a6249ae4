"""Turn the masks of any source into a folder of PNG masks with an index.

  make_masks.py --images data/x/train --out data/x/masks \\
      --source type=COCOMasks data_root=data/x images=train ann_file=instances.json
  make_masks.py FILE --images data/x/train --out data/x/masks   FILE has source=dict()
  make_masks.py CONFIG --out data/x/masks            what its training pipeline loads

A run that was killed goes on where it stopped. Nothing is overwritten without
--overwrite. The last lines say what to write in a config.
"""
import argparse
import sys
from collections import Counter
from pathlib import Path

import _launch
from mmengine.config import DictAction
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from cfcn_plugin.annotation.convert import (
    LAYOUTS,
    UNKNOWN,
    UNKNOWN_CLASS,
    MaskMaker,
    make_masks,
)
from cfcn_plugin.annotation.png_folder import png_masks
from cfcn_plugin.annotation.samples import FolderSamples, guided_datasets
from cfcn_plugin.mm.transforms import LoadActivationMask


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', help='a config, or a file with a `source`')
    parser.add_argument(
        '--source', nargs='+', action=DictAction, help='the source, as KEY=VALUE ...')
    parser.add_argument('--images', type=Path, help='folder of images')
    parser.add_argument('--split', default='train', help="which of CONFIG's data")
    parser.add_argument('--out', type=Path, required=True, help='folder of masks')
    parser.add_argument(
        '--classes',
        choices=LAYOUTS,
        default=LAYOUTS[0],
        help='one mask a class becomes: one mask (union), a label file of value '
        'class + 1 (values), or a folder a class (folders)')
    parser.add_argument(
        '--exif',
        action='store_true',
        help="masks lie as the files' stored pixels, as LoadActivationMask(exif=True)")
    parser.add_argument('--jobs', type=int, default=2, help='processes')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace masks that are there')
    args = parser.parse_args()
    samples, load, origin = chosen(parser, args)
    maker = MaskMaker(samples, load, args.out, args.classes, args.overwrite)
    count, failures, classes = Counter(), [], set()
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(),
               TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task('masks', total=len(samples))
        for made in make_masks(maker, origin, args.jobs):
            progress.advance(bar)
            count['made'] += bool(made.rows)
            count['empty'] += any(row.area == 0 for row in made.rows)
            count['ignored'] += any(row.ignored > 0 for row in made.rows)
            classes.update(int(c) for row in made.rows for c in row.classes.split())
            if made.failure:
                failures.append(made)
    tell(args, samples.root, len(samples), count, sorted(classes))
    if not count['made'] and not failures:
        keys = [load.source.key(samples[i]) for i in range(min(2, len(samples)))]
        sys.exit("No image has a mask. The source's names begin with "
                 f'{load.source.keys()[:2]}, those of the images with {keys}')
    if failures:
        print(f'\n{len(failures)} images have a mask that could not be made:')
        for made in failures:
            print(f'  {made.image}: {made.failure}')
        sys.exit(1)


def chosen(parser, args) -> tuple:
    """The images, what loads their masks, and both as the folder remembers them."""
    cfg = None if args.config is None else _launch.load_config(args.config)
    if cfg is not None and f'{args.split}_dataloader' in cfg:
        if args.source or args.images:
            parser.error('CONFIG says both source and images: give it alone')
        guided = guided_datasets(cfg, args.split)
        if len(guided) > 1:
            parser.error(f'CONFIG has {len(guided)} data sets with masks: give '
                         '--source and --images of one')
        samples, load = guided[0].samples, guided[0].load
        source = guided[0].config.to_dict()
    else:
        source = args.source if cfg is None else cfg.get('source')
        if source is None or args.images is None or (args.source and cfg):
            parser.error('give CONFIG, or --source KEY=VALUE ... with --images, or a '
                         'file with a `source` with --images')
        source = dict(source)
        load = LoadActivationMask(source=source, exif=args.exif)
        samples = FolderSamples(args.images, leave_out=args.out)
    origin = dict(source=source, images=str(Path(samples.root).absolute()),
                  classes=args.classes, exif=load.exif)
    return samples, load, origin


def tell(args, root: str, total: int, count: Counter, classes: list[int]) -> None:
    print(f'{count["made"]} of {total} images have a mask in {args.out}')
    if count['empty']:
        print(f"{count['empty']} masks have no causal pixel: see "
              f"`empty` of LoadActivationMask")
    options, folders = {}, [args.out]
    if classes and args.classes == 'values':
        options = dict(causal=[c + 1 for c in classes], classes=classes)
    elif classes and args.classes == 'folders':
        folders = [args.out / str(label) for label in classes]
    elif classes:
        print(f'Classes {classes} became one mask; --classes keeps them apart.')
    if count['ignored']:
        options['ignore'] = [UNKNOWN_CLASS if 'classes' in options else UNKNOWN]
    print('In the config:')
    for folder in folders:
        source = png_masks(root, folder, root, **options)
        inner = ', '.join(f'{key}={value!r}' for key, value in source.items())
        print(f'  source=dict({inner})')


if __name__ == '__main__':
    main()
