"""Packed samples, and the geometry errors that packing refuses."""

from collections import Counter

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmpretrain.datasets import PackInputs
from mmpretrain.registry import TRANSFORMS
from PIL import Image

from cfcn_plugin.mm.transforms import PackGuidedInputs

HEIGHT, WIDTH = 20, 30
FLIP = dict(type='RandomFlip', prob=1.0)
CROP = dict(type='CenterCrop', crop_size=12)


def box():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:8, 3:12] = 1
    return mask


def sample(**fields):
    return dict(
        img=np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        img_path='a.jpg',
        ori_shape=(HEIGHT, WIDTH),
        gt_label=1,
        **fields,
    )


def guided(mask=None, **fields):
    return sample(
        guided=True, activation_mask=box() if mask is None else mask, **fields
    )


def pack(results, **kwargs):
    return PackGuidedInputs(**kwargs)(results)['data_samples']


def run(root, *transforms):
    """A pipeline from files: image, mask, these transforms, packing."""
    for folder, pixels in (
        ('images', np.zeros((HEIGHT, WIDTH, 3), np.uint8)),
        ('masks', box()),
    ):
        (root / folder).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / folder / 'a.png')
    load_mask = dict(
        type='LoadActivationMask',
        source=dict(
            type='PNGMasks', masks='masks', images='images', data_root=str(root)
        ),
    )
    steps = [dict(type='LoadImageFromFile'), *transforms, dict(type='PackGuidedInputs')]
    steps = [load_mask if step == 'mask' else step for step in steps]
    pipeline = Compose([TRANSFORMS.build(step) for step in steps])
    return pipeline(dict(img_path=str(root / 'images' / 'a.png')))


# ---- fields ----------------------------------------------------------------


def test_the_ways_of_a_refined_mask_are_packed_also_if_the_object_is_cropped_out():
    for mask in (box(), 0 * box()):
        packed = pack(guided(mask, outline_ways=Counter(core=2)))
        assert packed.outline_ways == {'core': 2}
        assert packed.cropped_out is not mask.any()
    assert 'outline_ways' not in pack(guided())


def test_guided_sample_carries_numpy_arrays():
    planes = np.stack([box(), 1 - box()])
    packed = pack(guided(planes, mask_classes=np.array([0, 2]), ignore_mask=1 - box()))
    assert packed.guided is True and packed.cropped_out is False
    for name, value in (
        ('activation_mask', planes),
        ('ignore_mask', 1 - box()),
        ('mask_classes', np.array([0, 2])),
    ):
        assert isinstance(packed.get(name), np.ndarray)
        np.testing.assert_array_equal(packed.get(name), value)


def test_unguided_sample_carries_no_mask():
    packed = pack(sample(guided=False))
    assert packed.guided is False and packed.cropped_out is False
    assert not {'activation_mask', 'ignore_mask', 'mask_classes'} & set(packed.keys())


def test_the_rest_is_packed_as_the_stock_transform_does():
    stock, ours = PackInputs()(sample()), PackGuidedInputs()(guided())
    torch.testing.assert_close(ours['inputs'], stock['inputs'])
    assert ours['data_samples'].gt_label == stock['data_samples'].gt_label
    for name, value in stock['data_samples'].metainfo.items():
        assert ours['data_samples'].metainfo[name] == value


def test_group_is_packed():
    assert pack(guided(group='land-water')).group == 'land-water'
    assert 'group' not in pack(guided()).metainfo


def test_own_keys_are_packed_beside_the_mask():
    packed = pack(
        guided(weight=3, place='sea'), algorithm_keys=['weight'], meta_keys=('place',)
    )
    assert (packed.weight, packed.place, packed.guided) == (3, 'sea', True)


@pytest.mark.parametrize(
    'image',
    [Image.new('RGB', (WIDTH, HEIGHT)), torch.zeros(3, HEIGHT, WIDTH)],
    ids=['pillow', 'tensor'],
)
def test_image_may_be_of_any_type_that_is_packed(image):
    results = guided()
    results['img'] = image
    assert PackGuidedInputs()(results)['inputs'].shape == (3, HEIGHT, WIDTH)
    results = guided(box()[:10])
    results['img'] = image
    with pytest.raises(ValueError, match=r'\(10, 30\), its image \(20, 30\)'):
        PackGuidedInputs()(results)


def test_wrapped_pipeline_packs_a_mask_that_fits(tmp_path):
    packed = run(
        tmp_path,
        'mask',
        dict(type='MaskAware', transform=FLIP),
        dict(type='MaskAware', transform=dict(type='ResizeEdge', scale=40)),
    )
    mask = packed['data_samples'].activation_mask
    assert mask.shape == packed['inputs'].shape[-2:] == (40, 60)
    np.testing.assert_array_equal(mask, np.kron(box(), np.ones((2, 2)))[:, ::-1])


# ---- cropped_out ---------------------------------------------------------------


def test_mask_emptied_by_a_crop_makes_the_draw_unguided(tmp_path):
    small = dict(type='CenterCrop', crop_size=4)
    packed = run(tmp_path, 'mask', dict(type='MaskAware', transform=small))
    packed = packed['data_samples']
    assert packed.guided is False and packed.cropped_out is True
    assert 'activation_mask' not in packed


def test_mask_that_is_wholly_ignored_is_emptied_too():
    packed = pack(guided(ignore_mask=box()))
    assert packed.guided is False and packed.cropped_out is True
    assert 'ignore_mask' not in packed
    assert pack(guided(ignore_mask=1 - box())).guided is True


def test_one_plane_with_a_causal_pixel_is_enough():
    planes = np.stack([box(), box() * 0])
    packed = pack(guided(planes, mask_classes=np.array([0, 1])))
    assert packed.guided is True and packed.activation_mask.shape[0] == 2
    packed = pack(guided(planes * 0, mask_classes=np.array([0, 1])))
    assert packed.cropped_out is True and 'mask_classes' not in packed


# ---- errors ----------------------------------------------------------------


def test_sample_without_guided_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='`guided`.*LoadActivationMask.*source='):
        run(tmp_path)


@pytest.mark.parametrize(
    'steps',
    [
        ('mask', FLIP),
        (FLIP, 'mask'),
        ('mask', FLIP, dict(type='MaskAware', transform=FLIP)),
        (
            'mask',
            FLIP,
            dict(type='MaskAware', transform=dict(type='RandomFlip', prob=0.0)),
        ),
        (
            'mask',
            dict(type='MaskAware', transform=dict(type='RandomFlip', prob=0.0)),
            FLIP,
        ),
    ],
)
def test_flip_that_the_mask_did_not_see_names_image_and_remedy(tmp_path, steps):
    with pytest.raises(ValueError, match='was flipped.*its mask was not') as caught:
        run(tmp_path, *steps)
    assert 'a.png' in str(caught.value) and 'MaskAware' in str(caught.value)


@pytest.mark.parametrize(
    'step', [CROP, dict(type='ResizeEdge', scale=40), dict(type='Pad', size=(40, 40))]
)
def test_unwrapped_change_of_size_names_image_sizes_and_remedy(tmp_path, step):
    with pytest.raises(ValueError, match='`activation_mask` of .*a.png') as caught:
        run(tmp_path, 'mask', step)
    assert '(20, 30), its image' in str(caught.value)
    assert "dict(type='MaskAware', transform=dict(...))" in str(caught.value)


def test_ignore_mask_of_another_size_is_an_error():
    with pytest.raises(ValueError, match='`ignore_mask`.*a.jpg'):
        pack(guided(ignore_mask=np.zeros((4, 4), np.uint8)))


def test_flips_of_unguided_images_need_no_wrapper():
    assert pack(sample(guided=False, flip=True)).guided is False


@pytest.mark.parametrize('flag', [True, False])
def test_mask_error_is_packed_where_it_is_counted(flag):
    results = dict(img=np.zeros((4, 5, 3), np.uint8), guided=False, mask_error=flag)
    assert PackGuidedInputs()(results)['data_samples'].mask_error is flag


def test_no_mask_error_is_packed_where_it_would_end_the_run():
    results = dict(img=np.zeros((4, 5, 3), np.uint8), guided=False)
    assert 'mask_error' not in PackGuidedInputs()(results)['data_samples']
