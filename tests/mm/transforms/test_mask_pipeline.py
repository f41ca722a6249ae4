"""Masks of each kind of source, also from memory, move as by a slow reference."""

import csv
import json

import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import TRANSFORMS
from PIL import Image
from pycocotools import mask as rle

from cfcn_plugin.masks import (
    BoxMasks,
    COCOMasks,
    GrabCut,
    LabelMeMasks,
    PNGMasks,
    PointMasks,
    ScribbleMasks,
)
from cfcn_plugin.masks.mask_memory import memory_key
from cfcn_plugin.mm.transforms import LoadActivationMask, MaskAware

SHAPE = (60, 84)
GEOMETRY = [
    dict(type='Rotate', magnitude_range=(0, 30)),
    dict(type='Shear', magnitude_range=(0, 0.3)),
    dict(type='Shear', magnitude_range=(0, 0.3), direction='vertical'),
    dict(type='Translate', magnitude_range=(0, 0.45)),
]
CHAINS = {
    'crop and flip': [
        dict(type='RandomResizedCrop', scale=48),
        dict(
            type='RandomFlip',
            prob=[0.3, 0.3, 0.3],
            direction=['horizontal', 'vertical', 'diagonal'],
        ),
    ],
    'resize, rotate, crop': [
        dict(type='Resize', scale=(70, 50)),
        dict(type='Rotate', angle=25.0),
        dict(type='RandomCrop', crop_size=44, padding=8),
    ],
    'RandAugment': [
        dict(type='RandomResizedCrop', scale=(40, 56)),
        dict(type='RandomFlip', prob=0.5),
        dict(
            type='RandAugment',
            policies=GEOMETRY,
            num_policies=2,
            magnitude_level=9,
            magnitude_std=0.5,
        ),
    ],
}
# a transform of an image that treats it as a mask
AS_MASK = dict(
    RandomResizedCrop=dict(interpolation='nearest', backend='pillow'),
    Resize=dict(interpolation='nearest', backend='pillow'),
    Rotate=dict(interpolation='nearest', pad_val=0),
    RandomCrop=dict(pad_val=0),
    RandAugment=dict(hparams=dict(interpolation='nearest', pad_val=0)),
    RandomFlip={},
)
SOURCES = {
    'PNG': lambda root: PNGMasks('masks', 'images', root),
    'PNG of 1 bit': lambda root: PNGMasks('one_bit', 'images', root),
    'with ignored pixels': lambda root: PNGMasks(
        'values', 'images', root, causal=[1, 2], ignore=[3]
    ),
    'for each class': lambda root: PNGMasks(
        'values', 'images', root, causal=[1, 2], classes=[4, 0]
    ),
    'scribbles': lambda root: ScribbleMasks(
        'values', 'images', root, radius=2, unit='pixel', causal=[1], context=[2]
    ),
    'boxes': lambda root: BoxMasks('boxes.csv', root),
    'points': lambda root: PointMasks('points.csv', root, radius=9, unit='pixel'),
    'COCO': lambda root: COCOMasks('coco.json', root),
    'polygons': lambda root: LabelMeMasks('labelme', 'images', root),
}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Two images, each with a mask in each format."""
    root, rng = tmp_path_factory.mktemp('data'), np.random.default_rng(0)
    for folder in ('images', 'masks', 'one_bit', 'values', 'labelme'):
        (root / folder).mkdir()
    coco = dict(images=[], annotations=[], categories=[dict(id=1, name='thing')])
    boxes, points = [('filename', 'x0', 'y0', 'x1', 'y1')], [('image', 'x', 'y')]
    for i in range(2):
        Image.fromarray(rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)).save(
            root / 'images' / f'{i}.png'
        )
        values = rng.integers(0, 4, (10, 14), dtype=np.uint8).repeat(6, 0).repeat(6, 1)
        mask = (values > 1).astype(np.uint8)
        Image.fromarray(values).save(root / 'values' / f'{i}.png')
        Image.fromarray(255 * mask).save(root / 'masks' / f'{i}.png')
        Image.fromarray(255 * mask).convert('1').save(root / 'one_bit' / f'{i}.png')
        x, y = 20 + 8 * i, 15
        boxes.append((f'images/{i}.png', x, y, x + 30, y + 33))
        points.append((f'images/{i}.png', x, y))
        coco['images'].append(
            dict(id=i, file_name=f'images/{i}.png', height=SHAPE[0], width=SHAPE[1])
        )
        coco['annotations'] += [
            dict(
                id=2 * i + crowd,
                image_id=i,
                category_id=1,
                iscrowd=crowd,
                bbox=[0] * 4,
                segmentation=dict(
                    size=list(SHAPE),
                    counts=rle.encode(np.asfortranarray(one))['counts'].decode(),
                ),
            )
            for crowd, one in enumerate((mask, (values == 1).astype(np.uint8)))
        ]
        (root / 'labelme' / f'{i}.json').write_text(
            json.dumps(
                dict(
                    shapes=[
                        dict(
                            label='a',
                            points=[[x, y], [x + 40, y + 9], [x + 11, y + 35]],
                        )
                    ]
                )
            )
        )
    for name, rows in (('boxes', boxes), ('points', points)):
        with (root / f'{name}.csv').open('w', newline='') as stream:
            csv.writer(stream).writerows(rows)
    (root / 'coco.json').write_text(json.dumps(coco))
    return root


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def sample_of(root, number):
    path = root / 'images' / f'{number}.png'
    return dict(
        img_path=str(path),
        img=np.array(Image.open(path)),
        ori_shape=SHAPE,
        img_shape=SHAPE,
        gt_label=0,
    )


def reference(steps, plane, seed):
    """The plane, moved as if it were the image, by the stock transforms."""
    chain = Compose(
        [TRANSFORMS.build({**step, **AS_MASK[step['type']]}) for step in steps]
    )
    np.random.seed(seed)
    return chain(dict(img=plane.copy(), img_shape=SHAPE, ori_shape=SHAPE))['img']


def check_moved(moved, steps, seed, right):
    """Compare with ``right``, {key: planes} before they were moved."""
    for key, planes in right.items():
        if planes is None:
            assert key not in moved
            continue
        expected = [
            reference(steps, plane, seed) for plane in planes.reshape(-1, *SHAPE)
        ]
        found = moved[key].reshape(-1, *moved[key].shape[-2:])
        np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize('chain', CHAINS)
@pytest.mark.parametrize('kind', SOURCES)
def test_a_mask_moves_as_if_it_were_the_image(root, kind, chain):
    steps, make = CHAINS[chain], SOURCES[kind]
    load = LoadActivationMask(make(str(root)))
    pipeline = Compose([load, *(MaskAware(step) for step in steps)])
    for seed in range(6):  # each image is loaded once, then found in memory
        sample = sample_of(root, seed % 2)
        record = make(str(root))(sample)
        np.random.seed(seed)
        moved = pipeline(sample)
        assert moved['guided'] is True
        np.testing.assert_array_equal(
            moved.get('mask_classes', []),
            [] if record.classes is None else record.classes,
        )
        check_moved(
            moved,
            steps,
            seed,
            dict(activation_mask=record.mask, ignore_mask=record.ignore),
        )
        assert load.memory.find(memory_key(sample, SHAPE)) is not None


def test_a_refined_mask_from_memory_moves_as_the_one_that_was_made(root):
    steps = CHAINS['crop and flip']
    load = LoadActivationMask(BoxMasks('boxes.csv', str(root)), refine=GrabCut())
    for seed in range(4):
        sample = sample_of(root, seed % 2)
        record = BoxMasks('boxes.csv', str(root))(sample)
        outline = GrabCut()(sample['img'], record.mask)
        np.random.seed(seed)
        moved = Compose([load, *(MaskAware(step) for step in steps)])(sample)
        assert moved['outline_ways'] == outline.ways
        check_moved(moved, steps, seed, dict(activation_mask=outline.mask))
