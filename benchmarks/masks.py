"""The time of a training pipeline with masks over the same pipeline without masks.

Both read the same JPEG files in one process with one thread, as a data loader's worker
does. Blocks of the two run alternately; each pair of blocks gives one ratio.
"""

import csv
import json
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from PIL import Image
from pycocotools import mask as rle

import cfcn_plugin.mm  # noqa: F401  (registers the transforms)

from .pairs import Line, Turn, ratio_of

SIZE = (375, 500)  # the most frequent size in ImageNet
QUALITY = 95  # with the noise below 110 kB, ImageNet's mean
CROP = [
    dict(
        type='RandomResizedCrop', scale=224, backend='pillow', interpolation='bicubic'
    ),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]
SHORT = 'crop, flip'
PIPELINES = {
    SHORT: [dict(type='RandomResizedCrop', scale=224), CROP[1]],
    'crop, flip, RandAugment, RandomErasing': [  # DeiT, Swin, ConvNeXt ...
        *CROP,
        dict(
            type='RandAugment',
            policies='timm_increasing',
            num_policies=2,
            total_level=10,
            magnitude_level=9,
            magnitude_std=0.5,
            hparams=dict(pad_val=[104, 116, 124], interpolation='bicubic'),
        ),
        dict(
            type='RandomErasing',
            erase_prob=0.25,
            mode='rand',
            min_area_ratio=0.02,
            max_area_ratio=1 / 3,
            fill_color=[104, 116, 124],
            fill_std=[57, 57, 58],
        ),
    ],
}
AIM = 1.1
FIRST_TIME = '; each mask for the first time'
REFINED = 'boxes refined, from the cache'
SOURCES = {
    'PNG, 1 bit': dict(type='PNGMasks', images='images', masks='one_bit'),
    'PNG, 8 bits': dict(type='PNGMasks', images='images', masks='masks'),
    'boxes': dict(type='BoxMasks', ann_file='boxes.csv'),
    REFINED: dict(type='BoxMasks', ann_file='boxes.csv'),
    'COCO RLE': dict(type='COCOMasks', ann_file='coco.json'),
}


def masks(pairs: int, device: str = 'cpu', tiny: bool = False) -> Iterator[Line]:
    """Pipelines with each kind of mask, every image guided, on the CPU.

    Also the shortest pipeline where each mask is loaded for the first time.
    """
    images = 2 if tiny else 24
    cv2.setNumThreads(0)
    with (
        tempfile.TemporaryDirectory() as root,
        DefaultScope.overwrite_default_scope('mmpretrain'),
    ):
        make_data(Path(root), images)
        for name, steps in PIPELINES.items():
            without = turn(stock(steps), Path(root), images)
            for source, config in SOURCES.items():
                refine = dict(type='GrabCut', cache=f'{root}/outlines')
                masked = guided(
                    steps,
                    dict(config, data_root=root),
                    refine if source == REFINED else None,
                )
                for first_time in [False, True][: 1 + (name == SHORT)]:
                    ratio, took = ratio_of(
                        turn(masked, Path(root), images, first_time), without, pairs
                    )
                    yield Line(
                        f'pipeline with masks over without: {name}; {source}'
                        f'{FIRST_TIME * first_time}',
                        ratio,
                        None if first_time else AIM,
                        f'{1000 * took / images:.2f} ms an image',
                    )


def stock(steps: list[dict]) -> Compose:
    return Compose([dict(type='LoadImageFromFile'), *steps, dict(type='PackInputs')])


def guided(steps: list[dict], source: dict, refine: dict | None = None) -> Compose:
    return Compose(
        [
            dict(type='LoadImageFromFile'),
            dict(type='LoadActivationMask', source=source, refine=refine),
            *(dict(type='MaskAware', transform=step) for step in steps),
            dict(type='PackGuidedInputs'),
        ]
    )


def turn(pipeline: Compose, root: Path, images: int, first_time: bool = False) -> Turn:
    """A block of images, with the same random draws for both pipelines of a pair.

    With ``first_time`` no mask is in memory, as in a new process.
    """

    def make(pair: int) -> tuple[Compose, int]:
        return deepcopy(pipeline) if first_time else pipeline, pair

    def run(given: tuple[Compose, int]) -> None:
        used, pair = given
        np.random.seed(pair)
        for i in range(images):
            used(dict(img_path=str(root / 'images' / f'{i}.jpg'), gt_label=0))

    return Turn(run, make)


def make_data(root: Path, images: int) -> None:
    """Write noisy JPEG files, each with a blob as mask, box and RLE."""
    rng = np.random.default_rng(0)
    height, width = SIZE
    for folder in ('images', 'masks', 'one_bit'):
        (root / folder).mkdir()
    boxes, coco = (
        [('filename', 'x0', 'y0', 'x1', 'y1')],
        dict(images=[], annotations=[], categories=[dict(id=1, name='thing')]),
    )
    for i in range(images):
        coarse = rng.integers(0, 256, (height // 12, width // 12, 3), dtype=np.uint8)
        grain = rng.integers(-15, 16, (height, width, 3))
        smooth = np.asarray(
            Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        )
        Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8)).save(
            root / 'images' / f'{i}.jpg', quality=QUALITY
        )
        mask = blob(rng)
        Image.fromarray(255 * mask).save(root / 'masks' / f'{i}.png')
        Image.fromarray(255 * mask).convert('1').save(root / 'one_bit' / f'{i}.png')
        rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
        boxes.append(
            (f'images/{i}.jpg', columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        )
        code = rle.encode(np.asfortranarray(mask))
        coco['images'].append(
            dict(id=i, file_name=f'images/{i}.jpg', height=height, width=width)
        )
        coco['annotations'].append(
            dict(
                id=i,
                image_id=i,
                category_id=1,
                iscrowd=0,
                area=int(mask.sum()),
                bbox=rle.toBbox(code).tolist(),
                segmentation=dict(size=list(SIZE), counts=code['counts'].decode()),
            )
        )
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
        0.08 / k * np.sin(k * angle + rng.uniform(0, 2 * np.pi)) for k in range(1, 8)
    )
    return (np.hypot(x, y) < reach).astype(np.uint8)
