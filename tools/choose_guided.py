"""Choose which training images a person should mask.

The list has one path below the data root on each line. It depends only on the seed and
on the images, and a smaller list is a part of a larger one. A pipeline uses it with
LoadActivationMask(image_list=FILE).
"""
import argparse
from collections import Counter
from pathlib import Path

import _launch

from cfcn_plugin.masks import choose_guided, format_guided_list
from cfcn_plugin.mm.datasets.subset import training_images


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '-n', type=int, required=True, help='images; with --per-class, of each class')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--per-class', action='store_true', help='choose -n images of each class')
    parser.add_argument(
        '--out', type=Path, help='file to write, else the list is printed')
    args = parser.parse_args()
    images = training_images(_launch.load_config(args.config))
    chosen = choose_guided(images, args.n, args.seed, args.per_class)
    text = format_guided_list(chosen)
    if args.out is None:
        print(text, end='')
        return
    _launch.check_new_file(args.out)
    args.out.write_text(text, encoding='utf-8')
    labels = Counter(label for key, label in images if key in set(chosen)) \
        if args.per_class else len(chosen)
    print(f'{len(chosen)} of {len(images)} training images in {args.out}'
          + (f', by class: {dict(sorted(labels.items()))}' if args.per_class else ''))


if __name__ == '__main__':
    main()
