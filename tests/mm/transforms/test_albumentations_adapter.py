"""Albumentations transforms move image and masks by one draw."""

import numpy as np
import pytest
from mmpretrain.registry import TRANSFORMS

from cfcn_plugin.masks.visibility import source_positions
from cfcn_plugin.mm.transforms import MaskAware, moves_pixels

pytest.importorskip(
    'albumentations', reason="pip install 'cfcn_plugin[albumentations]'"
)

GEOMETRIC = {
    'HorizontalFlip': dict(p=0.5),
    'Affine': dict(p=1.0, rotate=(-30, 30), scale=(0.7, 1.3), fill=255, fill_mask=1),
    'RandomResizedCrop': dict(p=1.0, size=(96, 80), scale=(0.3, 1.0)),
    'PadIfNeeded': dict(p=1.0, min_height=180, min_width=180, fill=255, fill_mask=7),
    'ElasticTransform': dict(p=1.0, alpha=20, sigma=6),
    'Perspective': dict(p=1.0, fill=255),
    'Transpose': dict(p=0.5),
}
PHOTOMETRIC = {
    'RandomBrightnessContrast': dict(p=1.0),
    'GaussianBlur': dict(p=1.0),
    'CoarseDropout': dict(p=1.0),
}
CASES = {
    **{
        name: [dict(type=name, **options)]
        for name, options in {**GEOMETRIC, **PHOTOMETRIC}.items()
    },
    'several': [
        dict(
            type='OneOf',
            p=1.0,
            transforms=[
                dict(type='HorizontalFlip', p=1.0),
                dict(type='VerticalFlip', p=1.0),
            ],
        ),
        dict(type='RandomResizedCrop', p=1.0, size=(96, 80), scale=(0.3, 1.0)),
        dict(type='ChannelShuffle', p=0.5),
    ],
}


def config(case):
    return dict(type='Albumentations', transforms=CASES[case], seed=3)


def make_sample():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 60, (120, 164, 3), dtype=np.uint8)
    mask = np.zeros((120, 164), np.uint8)
    mask[30:85, 40:125] = 1
    mask[20:30, 40:60] = 1
    image[..., 1] = 255 * mask
    return dict(img=image, img_path='a.jpg', activation_mask=mask, gt_label=1)


@pytest.mark.parametrize('case', CASES)
def test_image_is_that_of_the_stock_wrapper(case):
    stock, aware = TRANSFORMS.build(config(case)), MaskAware(config(case))
    for _ in range(8):
        sample = make_sample()
        sample.pop('activation_mask')
        expected = stock(sample)
        found = aware(make_sample())
        np.testing.assert_array_equal(found.pop('img'), expected.pop('img'))
        found.pop('activation_mask')
        assert found == expected


@pytest.mark.parametrize('case', [*GEOMETRIC])
def test_moved_mask_is_the_mask_of_the_moved_image(case):
    aware = MaskAware(config(case))
    for _ in range(8):
        results = aware(make_sample())
        mask, image = results['activation_mask'], results['img']
        green = (image[..., 1] > 127) & (image[..., 2] < 100)
        assert (mask == green).mean() >= 0.98  # OpenCV's nearest: half a pixel off
        assert set(np.unique(mask)) <= {0, 1} and mask.flags.c_contiguous


@pytest.mark.parametrize('case', [*PHOTOMETRIC])
def test_photometric_transform_leaves_the_mask_alone(case):
    sample = make_sample()
    before = sample['img'].copy()
    results = MaskAware(config(case))(make_sample())
    np.testing.assert_array_equal(results['activation_mask'], sample['activation_mask'])
    assert (results['img'] != before).any()


def test_planes_and_ignore_mask_move_together():
    sample = make_sample()
    mask = sample['activation_mask']
    sample.update(activation_mask=np.stack([mask, 1 - mask, mask]), ignore_mask=mask)
    results = MaskAware(config('several'))(sample)
    planes = results['activation_mask']
    assert planes.shape == (3, 96, 80)
    np.testing.assert_array_equal(planes[0], planes[2])
    np.testing.assert_array_equal(planes[0], results['ignore_mask'])
    assert 'masks' not in results


def test_unwrapped_it_is_known_to_move_pixels():
    assert moves_pixels(TRANSFORMS.build(config('HorizontalFlip')))


def test_positions_move_with_the_mask():
    sample = make_sample()
    positions = source_positions((120, 164))
    one = MaskAware(config('RandomResizedCrop'))(
        {**sample, 'source_positions': positions.copy()}
    )
    other = MaskAware(config('RandomResizedCrop'))(
        {**sample, 'activation_mask': positions[0].copy()}
    )
    np.testing.assert_array_equal(one['source_positions'][0], other['activation_mask'])
