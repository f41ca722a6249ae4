"""The visible fraction of an object does not depend on the zoom of a crop."""

import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import TRANSFORMS
from PIL import Image

from cfcn_plugin.masks.visibility import (
    area_of_a_pixel,
    causal_pixels,
    source_positions,
    visible_fraction,
)
from cfcn_plugin.mm.transforms import MaskAware

HEIGHT, WIDTH = 180, 240


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def blob():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (((y - 80) / 50) ** 2 + ((x - 130) / 60) ** 2 < 1).astype(np.uint8)


def moved(*transforms):
    results = dict(
        img=np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        activation_mask=blob(),
        source_positions=source_positions((HEIGHT, WIDTH)),
    )
    for transform in transforms:
        results = MaskAware(transform)(results)
    return results


def fraction(results):
    return visible_fraction(
        results['activation_mask'], results['source_positions'], blob().mean()
    )


def test_by_hand():
    positions = source_positions((85, 51))  # 3 and 5 levels a pixel
    assert positions.dtype == np.uint8
    assert positions[:, 0, 0].tolist() == [1, 1]
    assert positions[:, 4, 10].tolist() == [1 + 12, 1 + 50]
    right = positions[..., 17:]  # two thirds
    mask = np.ones((85, 34), np.uint8)
    assert visible_fraction(mask, right, 1.0) == pytest.approx(2 / 3)
    zoomed = right.repeat(4, 1).repeat(4, 2)  # the same part of the image
    assert visible_fraction(np.ones((340, 136)), zoomed, 1.0) == pytest.approx(
        2 / 3, rel=0.02
    )
    assert visible_fraction(mask * 0, right, 0.5) == 0


@pytest.mark.parametrize('scale', [32, 224, 500])
def test_random_crop_shows_what_lies_in_its_box(scale):
    crop = dict(type='RandomResizedCrop', scale=scale, crop_ratio_range=(0.08, 1.0))
    stock = TRANSFORMS.build(crop)
    for seed in range(20):
        np.random.seed(seed)
        top, left, height, width = stock.rand_crop_params(np.zeros((HEIGHT, WIDTH, 3)))
        inside = blob()[top : top + height, left : left + width]
        np.random.seed(seed)
        assert fraction(moved(crop)) == pytest.approx(
            inside.sum() / blob().sum(), abs=0.03
        )


@pytest.mark.parametrize(
    'transforms',
    [
        [dict(type='RandomFlip', prob=1.0)],
        [dict(type='ResizeEdge', scale=400)],
        [dict(type='Resize', scale=(90, 300))],  # not in proportion
        [dict(type='Pad', size=(300, 260))],
        [dict(type='Rotate', angle=20.0, prob=1.0)],
        [dict(type='Shear', magnitude=0.2, prob=1.0)],
        [
            dict(type='ResizeEdge', scale=90),
            dict(type='Rotate', angle=-10.0, prob=1.0),
            dict(type='Pad', size=(300, 200)),
            dict(type='RandomFlip', prob=1.0),
        ],
    ],
)
def test_an_object_that_stays_in_the_image_is_all_visible(transforms):
    np.random.seed(0)
    assert fraction(moved(*transforms)) == pytest.approx(1, abs=0.03)


def test_a_translation_hides_what_it_moves_out():
    results = moved(
        dict(type='Translate', magnitude=0.4, prob=1.0, random_negative_prob=0.0)
    )
    assert fraction(results) == pytest.approx(
        causal_pixels(results).sum() / blob().sum(), abs=0.01
    )
    assert fraction(results) < 0.9


def test_padding_alone_has_no_area():
    assert area_of_a_pixel(np.zeros((2, 40, 40), np.float32)) == 0


def test_causal_pixels_are_those_of_any_class_that_are_not_ignored():
    planes = np.array([[[1, 0, 0]], [[0, 1, 0]]], np.uint8)
    sample = dict(activation_mask=planes, ignore_mask=np.array([[1, 0, 0]], np.uint8))
    assert causal_pixels(sample).astype(bool).tolist() == [[False, True, False]]


# ---- in a pipeline -----------------------------------------------------------


def crop_of(root, width, **options):
    """The image's left part, of an object that fills its left half."""
    for folder in ('images', 'masks'):
        (root / folder).mkdir(exist_ok=True)
    Image.new('RGB', (40, 20)).save(root / 'images' / 'a.png')
    mask = np.zeros((20, 40), np.uint8)
    mask[:, :20] = 255
    Image.fromarray(mask).save(root / 'masks' / 'a.png')
    source = dict(type='PNGMasks', masks='masks', images='images', data_root=str(root))
    pipeline = Compose(
        [
            dict(type='LoadImageFromFile'),
            dict(type='LoadActivationMask', source=source, **options),
            dict(
                type='MaskAware',
                transform=dict(type='CenterCrop', crop_size=(width, 20)),
            ),
            dict(type='MaskAware', transform=dict(type='Resize', scale=(64, 64))),
            dict(type='PackGuidedInputs'),
        ]
    )
    return pipeline(dict(img_path=str(root / 'images' / 'a.png')))['data_samples']


@pytest.mark.parametrize('least, is_guided', [(0.0, True), (0.2, True), (0.3, False)])
def test_below_min_visible_the_draw_is_unguided_and_counted(tmp_path, least, is_guided):
    # the middle ten columns show five of the object's twenty
    packed = crop_of(tmp_path, 10, min_visible=least)
    assert packed.guided is is_guided and packed.cropped_out is not is_guided
    assert ('activation_mask' in packed) is is_guided
    assert 'source_positions' not in packed


def test_the_default_carries_nothing_along(tmp_path):
    assert crop_of(tmp_path, 10).guided is True
    load = TRANSFORMS.build(
        dict(
            type='LoadActivationMask',
            source=dict(
                type='PNGMasks', masks='masks', images='images', data_root=str(tmp_path)
            ),
        )
    )
    results = load(
        dict(
            img=np.zeros((20, 40, 3), np.uint8),
            img_path=str(tmp_path / 'images' / 'a.png'),
        )
    )
    assert 'source_positions' not in results and 'min_visible' not in results


@pytest.mark.parametrize('least', [-0.1, 1.5])
def test_fraction_outside_its_range_is_an_error(tmp_path, least):
    with pytest.raises(ValueError, match=r'`min_visible` must be in \[0, 1\]'):
        crop_of(tmp_path, 10, min_visible=least)
