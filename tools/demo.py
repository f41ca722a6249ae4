"""The demo: the paper's small network with and without guidance on TexturedDigits.

In training each digit has its own texture, so that the texture gives the answer away.
In the test it does not. Trains both, prints what they know, and draws where they look.
"""
import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from get_data import get_textured_digits
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.apis import get_model
from PIL import Image

from cfcn_plugin.visualization.heatmaps import heatmap_sheet, look

CONFIGS = Path(__file__).parent.parent / 'configs'
SYSTEMS = {
    'plain': CONFIGS / 'cnn_cfcnnet_textured-digits.py',
    'guided (CFCN-C)': CONFIGS / 'cfcn-c_cfcnnet_textured-digits.py',
}
METRICS = [
    ('tied background, % right', 'group/tied', 1),
    ('untied background, % right', 'group/untied', 1),
    ('focus: activation inside the mask, %', 'focus/energy', 100),
]
# each texture is there: grass, gravel, brick repeat from picture to picture
PICTURES = [f'test_untied/{name}.png' for name in ('0/004', '1/008', '2/003', '0/005')]


def draw(path: Path, data_root: Path, work_dirs: dict[str, Path]) -> None:
    pictures = np.stack([np.array(Image.open(data_root / p)) for p in PICTURES])
    masks = np.stack(
        [np.array(Image.open(data_root / 'masks' / p)) > 0 for p in PICTURES])
    labels = [int(Path(p).parent.name) for p in PICTURES]
    looks = {}
    for name, work_dir in work_dirs.items():
        config = Config.fromfile(next(work_dir.glob('*.py')))
        init_default_scope('mmpretrain')
        checkpoint = Path((work_dir / 'last_checkpoint').read_text().strip()).name
        model = get_model(config, pretrained=str(work_dir / checkpoint))
        looks[name] = look(model, torch.from_numpy(pictures).permute(0, 3, 1, 2))
    heatmap_sheet(
        path, pictures, masks, looks, labels, ['0', '1', '2'],
        'In training each digit had its own texture, here it has not.\n'
        'Bright is what the answer was made from.')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    begin = time.time()
    data = args.out / 'data'
    if not (data / 'textured-digits').is_dir():
        data.mkdir(parents=True, exist_ok=True)
        get_textured_digits(data)
    os.environ['CFCN_DATA'] = str(data.absolute())  # where configs look for data
    # side by side, a share of the cores each: small networks gain little from many
    os.environ.setdefault('OMP_NUM_THREADS', str(max(1, os.cpu_count() // 2)))
    print('training both networks, some minutes on two cores ...', flush=True)
    work_dirs = {
        name: args.out / config.stem / f'seed{args.seed}'
        for name, config in SYSTEMS.items()
    }
    with ThreadPoolExecutor() as pool:
        runs = {
            name: pool.submit(train_and_test, config, args.seed, work_dirs[name], [])
            for name, config in SYSTEMS.items()
        }
    results = {name: [run.result()] for name, run in runs.items()}
    picture = args.out / 'heatmaps.png'
    draw(picture, data / 'textured-digits', work_dirs)
    print(f'\n{table(results, METRICS)}\n')
    print('Guessing is 33 % right. The networks differ by one line of config.')
    print(f'Where they look: {picture}  ({time.time() - begin:.0f} s)')


if __name__ == '__main__':
    main()
