"""Pictures a second of a training pipeline with masks against without.

Both pipelines read the same JPEG files in one process, as a data loader's worker does
(one thread). They take turns in blocks, so that whatever else the machine does hits
both; each pair of blocks gives one ratio. Printed is the mean ratio with its 95 %
interval (Student's t over pairs).
"""
import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import TASK_UTILS
from PIL import Image
from pycocotools import mask as rle
from scipy import stats

import cfcn_plugin  # noqa: F401  (registers the transforms)

SIZE = (375, 500)  # the most frequent one of ImageNet
QUALITY = 95  # with the grain below: 110 kB, ImageNet's mean
CROP = [
    dict(type='RandomResizedCrop', scale=224, backend='pillow',
         interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal')]
PIPELINES = {
    'crop, flip': [dict(type='RandomResizedCrop', scale=224), CROP[1]],
    'crop, flip, RandAugment, RandomErasing': [  # DeiT, Swin, ConvNeXt ...
        *CROP,
        dict(type='RandAugment', policies='timm_increasing', num_policies=2,
             total_level=10, magnitude_level=9, magnitude_std=0.5,
             hparams=dict(pad_val=[104, 116, 124], interpolation='bicubic')),
        dict(type='RandomErasing', erase_prob=0.25, mode='rand', min_area_ratio=0.02,
             max_area_ratio=1 / 3, fill_color=[104, 116, 124],
             fill_std=[57, 57, 58])],
}
SOURCES = {
    'PNG, 1 bit': dict(type='PNGMasks', images='images', masks='one_bit'),
    'PNG, 8 bits': dict(type='PNGMasks', images='images', masks='masks'),
    'boxes': dict(type='BoxMasks', ann_file='boxes.csv'),
    'COCO RLE': dict(type='COCOMasks', ann_file='coco.json'),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--pairs', type=int, default=40)
    parser.add_argument('--pictures', type=int, default=64, help='in a block')
    parser.add_argument('--share', type=float, default=1.0, help='of guided pictures')
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as root, \
            DefaultScope.overwrite_default_scope('mmpretrain'):
        make_data(Path(root), args.pictures)
        print(f'{"pipeline":40} {"masks":12} {"without":>9} {"with":>9}  ratio')
        for name, steps in PIPELINES.items():
            for source, config in SOURCES.items():
                if TASK_UTILS.get(config['type']) is None:
                    print(f'{name:40} {source:12} {config["type"]} is not there')
                    continue
                plain, masked = compare(
                    stock(steps),
                    guided(steps, dict(config, data_root=root), args.share),
                    Path(root), args.pairs, args.pictures)
                mean, half = interval(masked / plain)
                print(f'{name:40} {source:12} {plain.mean():7.0f}/s '
                      f'{masked.mean():7.0f}/s  {mean:.3f} ± {half:.3f}', flush=True)


def stock(steps: list[dict]) -> Compose:
    return Compose([dict(type='LoadImageFromFile'), *steps, dict(type='PackInputs')])


def guided(steps: list[dict], source: dict, share: float) -> Compose:
    return Compose([
        dict(type='LoadImageFromFile'),
        dict(type='LoadActivationMask', source=source, share=share),
        *(dict(type='MaskAware', transform=step) for step in steps),
        dict(type='PackGuidedInputs')])


def compare(first: Compose, second: Compose, root: Path, pairs: int,
            pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures a second of both, (pairs,) each; they take turns in going first."""
    speeds = {first: [], second: []}
    for pipeline in speeds:  # caches of files and of memory
        run(pipeline, root, pictures, seed=0)
    for pair in range(pairs):
        for pipeline in (first, second) if pair % 2 else (second, first):
            start = time.perf_counter()
            run(pipeline, root, pictures, seed=pair)
            speeds[pipeline].append(pictures / (time.perf_counter() - start))
    return np.array(speeds[first]), np.array(speeds[second])


def run(pipeline: Compose, root: Path, pictures: int, seed: int) -> None:
    np.random.seed(seed)
    for i in range(pictures):
        pipeline(dict(img_path=str(root / 'images' / f'{i}.jpg'), gt_label=0))


def interval(ratios: np.ndarray) -> tuple[float, float]:
    """The mean and half of its 95 % interval."""
    half = stats.t.ppf(0.975, len(ratios) - 1) * stats.sem(ratios)
    return ratios.mean(), half


def make_data(root: Path, pictures: int) -> None:
    """JPEGs with structure and grain, and a blob in each as mask, box and RLE."""
    rng = np.random.default_rng(0)
    height, width = SIZE
    for folder in ('images', 'masks', 'one_bit'):
        (root / folder).mkdir()
    boxes, coco = [('filename', 'x0', 'y0', 'x1', 'y1')], dict(
        images=[], annotations=[], categories=[dict(id=1, name='thing')])
    for i in range(pictures):
        coarse = rng.integers(0, 256, (height // 12, width // 12, 3), dtype=np.uint8)
        grain = rng.integers(-15, 16, (height, width, 3))
        smooth = np.asarray(
            Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
        Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)).save(
            root / 'images' / f'{i}.jpg', quality=QUALITY)
        mask = blob(rng)
        Image.fromarray(255 * mask).save(root / 'masks' / f'{i}.png')
        Image.fromarray(255 * mask).convert('1').save(root / 'one_bit' / f'{i}.png')
        rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
        boxes.append((f'images/{i}.jpg', columns[0], rows[0], columns[-1] + 1,
                      rows[-1] + 1))
        code = rle.encode(np.asfortranarray(mask))
        coco['images'].append(
            dict(id=i, file_name=f'images/{i}.jpg', height=height, width=width))
        coco['annotations'].append(dict(
            id=i, image_id=i, category_id=1, iscrowd=0, area=int(mask.sum()),
            bbox=rle.toBbox(code).tolist(),
            segmentation=dict(size=list(SIZE), counts=code['counts'].decode())))
    with (root / 'boxes.csv').open('w', newline='') as stream:
        csv.writer(stream).writerows(boxes)
    (root / 'coco.json').write_text(json.dumps(coco))


def blob(rng: np.random.Generator) -> np.ndarray:
    """(H, W) uint8: a star-shaped outline around the middle, a third of the area."""
    height, width = SIZE
    y, x = np.mgrid[:height, :width]
    y, x = (y - height / 2) / height, (x - width / 2) / width
    angle = np.arctan2(y, x)
    reach = 0.32 + sum(
        0.08 / k * np.sin(k * angle + rng.uniform(0, 2 * np.pi)) for k in range(1, 8))
    return (np.hypot(x, y) < reach).astype(np.uint8)


if __name__ == '__main__':
    main()
