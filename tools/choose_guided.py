"""Choose which training images a person should mask.

The list has one path below the data root on each line. A smaller list is a part of a
larger one. A pipeline uses it with LoadActivationMask(image_list=FILE).

  coverage  the images that together represent the variety of each class, in features
            of the checkpoint, or of the config's pretrained backbone (the default: see
            docs/results/waterbirds-choice.md)
  random    each image has the same chance; the list depends only on the seed
  context   images whose answer seems to rest on the background, by the checkpoint
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
import shlex
import sys
from collections import Counter
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '-n', type=int, required=True, help='images; with --per-class, of each class'
    )
    parser.add_argument(
        '--by', choices=['coverage', 'random', 'context'], default='coverage'
    )
    parser.add_argument('--checkpoint', help='a trained model of the config')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--per-class', action='store_true', help='choose -n images of each class'
    )
    parser.add_argument(
        '--out', type=Path, help='file to write, else the list is printed'
    )
    parser.add_argument(
        '--page', type=Path, help='new HTML page of what was chosen, and why'
    )
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--device', help='default: cuda if there is one, else cpu')
    args = parser.parse_args()
    if args.by == 'context' and args.checkpoint is None:
        parser.error('--by context asks the model at hand: give --checkpoint')
    if args.by == 'random' and args.checkpoint is not None:
        parser.error('--by random uses no --checkpoint: give --by coverage or context')
    return args


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

import numpy as np
import torch
from mmengine.logging import MMLogger
from rich.progress import track

from cfcn_plugin.annotation.choice import Chosen
from cfcn_plugin.experiments.choice_page import write_choice_page
from cfcn_plugin.masks import choose_guided, format_guided_list
from cfcn_plugin.mm.annotation.choose import choose_from_model
from cfcn_plugin.mm.datasets.subset import training_dataset, training_images
from cfcn_plugin.mm.plain_pipeline import plain_test_pipeline
from cfcn_plugin.mm.visualization.gallery import image_panel
from cfcn_plugin.visualization.overlay import screen_pixels


def main(args: argparse.Namespace) -> None:
    for file in filter(None, (args.out, args.page)):
        _launch.check_new_file(file)
    MMLogger.get_current_instance().setLevel('WARNING')
    cfg = _launch.load_config(args.config)
    images = training_images(cfg)
    chosen = choose(cfg, images, args)
    keys = [images[one.index][0] for one in chosen]
    text = format_guided_list(sorted(keys))
    if args.page is not None:
        write_page(cfg, images, chosen, args)
    if args.out is None:
        print(text, end='')
        return
    args.out.write_text(text, encoding='utf-8')
    labels = (
        Counter(label for key, label in images if key in set(keys))
        if args.per_class
        else len(chosen)
    )
    print(
        f'{len(chosen)} of {len(images)} training images in {args.out}'
        + (f', by class: {dict(sorted(labels.items()))}' if args.per_class else '')
    )


def choose(cfg, images: list, args: argparse.Namespace) -> list[Chosen]:
    if args.by == 'random':
        keys = set(choose_guided(images, args.n, args.seed, args.per_class))
        return [Chosen(i, '') for i, (key, _) in enumerate(images) if key in keys]
    return choose_from_model(
        cfg,
        images,
        args.by,
        args.n,
        args.seed,
        args.per_class,
        args.checkpoint,
        args.batch_size,
        args.workers,
        args.device or ('cuda' if torch.cuda.is_available() else 'cpu'),
        lambda batches, total: track(batches, args.by, total, disable=not args.out),
    )


def write_page(
    cfg, images: list, chosen: list[Chosen], args: argparse.Namespace
) -> None:
    dataset = training_dataset(cfg, plain_test_pipeline(cfg))

    def load(index: int) -> np.ndarray:
        return screen_pixels(image_panel(dataset[index]).image.permute(1, 2, 0).numpy())

    write_choice_page(
        args.page,
        f'{args.n} images of {Path(args.config).stem}',
        args.by,
        images,
        chosen,
        load,
        dataset.metainfo.get('classes') or (),
        shlex.join(['python', *sys.argv]),
    )


if __name__ == '__main__':
    main(ARGS)
