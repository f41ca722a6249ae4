"""The demo: the paper's small network with and without guidance on TexturedDigits.

In training each digit has its own texture, so the texture predicts the class. In the
test each class has all textures equally often. The demo trains both networks, prints
their accuracy, and draws their saliency maps.
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument('--seed', type=int, choices=[0, 1, 2], default=0)
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from cfcn_plugin.data.public.textured_digits import write_textured_digits
from cfcn_plugin.experiments.outcome import Outcome
from cfcn_plugin.experiments.read_grid import read_grid
from cfcn_plugin.experiments.run import run_grid
from cfcn_plugin.experiments.table import format_markdown, summarise
from cfcn_plugin.masks.io.open_image import open_image
from cfcn_plugin.mm.safe_loading import enable_safe_loading
from cfcn_plugin.mm.visualization.gallery import load_model, predict_saliency
from cfcn_plugin.visualization.heatmaps import heatmap_sheet
from cfcn_plugin.visualization.image_panel import ImagePanel

TOOLS = Path(__file__).parent
GRID = TOOLS.parent / 'configs' / 'experiments' / 'textured_digits.py'
TITLES = {'cnn': 'baseline', 'cfcn_c': 'guided (CFCN-C)'}
# images with all three textures: grass, gravel, brick
IMAGES = [f'test_untied/{name}.png' for name in ('0/004', '1/008', '2/003', '0/005')]


def read_panel(data_root: Path, name: str) -> ImagePanel:
    pixels = torch.from_numpy(np.array(open_image(data_root / name)))
    mask = np.array(open_image(data_root / 'masks' / name)) > 0
    label = int(Path(name).parent.name)
    return ImagePanel(pixels.permute(2, 0, 1), mask, frozenset([label]), name)


def draw(path: Path, data_root: Path, runs: list[Outcome]) -> None:
    panels = [read_panel(data_root, name) for name in IMAGES]
    maps = {}
    for run in runs:
        model = load_model(Config.fromfile(run.config), run.checkpoint)
        maps[TITLES[run.cell.method]] = predict_saliency(model, panels)
    heatmap_sheet(
        panels,
        maps,
        ['0', '1', '2'],
        'In training each digit had its own texture; here each has all textures.\n'
        'Bright: the evidence for the class.',
    ).savefig(path)


def main(args: argparse.Namespace) -> None:
    begin = time.time()
    data = args.out / 'data'
    if not (data / 'textured-digits').is_dir():
        data.mkdir(parents=True, exist_ok=True)
        write_textured_digits(data / 'textured-digits')
    os.environ['CFCN_DATA'] = str(data.absolute())  # the configs' data folder
    MMLogger.get_current_instance().setLevel('WARNING')
    enable_safe_loading()
    grid = read_grid(GRID)
    grid = replace(
        grid,
        cells=tuple(
            cell
            for cell in grid.cells
            if cell.seed == args.seed and cell.method in TITLES
        ),
    )
    print('training both networks, some minutes on two cores ...', flush=True)
    # in parallel, each with half of the cores: small networks scale badly with cores
    runs = run_grid(grid, args.out / 'runs', TOOLS, jobs=len(grid.cells))
    failed = [run.error for run in runs if run.status == 'failed']
    if failed:
        raise SystemExit('\n'.join(failed))
    image = args.out / 'heatmaps.png'
    draw(image, data / 'textured-digits', runs)
    print(f'\n{format_markdown(summarise(grid, runs))}\n')
    print('Chance is 33 %. The networks differ by one line of config.')
    print(f'Saliency maps: {image}  ({time.time() - begin:.0f} s)')


if __name__ == '__main__':
    main(ARGS)
