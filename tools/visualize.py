"""Draw a model's saliency maps of your own images on one sheet.

Columns: the image, its mask if the config's source has one, the trained map, Grad-CAM,
and, if maps are classes, each class's map of the same forward pass. `--against` adds
the columns of a second checkpoint, such as the baseline. Maps are of the predicted
class.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
from dataclasses import replace
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('config', help='path, or mmpretrain::FAMILY/NAME.py')
    parser.add_argument('checkpoint')
    parser.add_argument('images', nargs='+', help='image files')
    parser.add_argument('--against', metavar='CHECKPOINT2')
    parser.add_argument(
        '--against-config', help='config of the second checkpoint, if different'
    )
    parser.add_argument('--out', type=Path, default=Path('sheet.png'))
    _launch.add_config_arguments(parser)
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from mmengine.logging import MMLogger

from cfcn_plugin.mm.visualization.gallery import (
    class_names,
    load_image_file,
    load_model,
    predict_grad_cam,
    predict_saliency,
)
from cfcn_plugin.visualization.heatmaps import (
    class_map_columns,
    heatmap_sheet,
    merge_columns,
)
from cfcn_plugin.visualization.overlay import shorten_name


def main(args: argparse.Namespace) -> None:
    MMLogger.get_current_instance().setLevel('WARNING')
    _launch.check_new_file(args.out)
    cfg = _config(args, args.config)
    images = [load_image_file(cfg, file) for file in args.images]
    models = {_title(args.checkpoint): load_model(cfg, args.checkpoint)}
    if args.against:
        other = _config(args, args.against_config or args.config)
        models[f'against\n{_title(args.against)}'] = load_model(other, args.against)
    classes = class_names(next(iter(models.values())), cfg.test_dataloader.dataset)
    columns = {}
    for name, model in models.items():
        # one by one: images may differ in size
        trained, *class_maps = merge_columns(
            [
                class_map_columns(name, predict_saliency(model, [image]), classes)
                for image in images
            ]
        ).items()
        columns.update([trained])
        columns.update(
            merge_columns(
                [
                    {f'{name}\nGrad-CAM': predict_grad_cam(model, [image])}
                    for image in images
                ]
            )
        )
        columns.update(class_maps)
    panels = [replace(panel, name=shorten_name(panel.name, 24)) for panel in images]
    heatmap_sheet(panels, columns, classes).savefig(args.out)
    print(f'wrote {args.out}')


def _title(checkpoint: str) -> str:
    return shorten_name(Path(checkpoint).stem, 18)


def _config(args, path: str):
    cfg = _launch.load_config(path, args.guide)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    return cfg


if __name__ == '__main__':
    main(ARGS)
