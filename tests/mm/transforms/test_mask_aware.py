"""Image and mask move equally, and the image as without a mask."""

import pickle
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform, Compose, RandomFlip
from mmengine.registry import DefaultScope
from mmpretrain.datasets import transforms as processing
from mmpretrain.registry import TRANSFORMS
from PIL import Image
from torchvision.transforms import autoaugment

from cfcn_plugin.mm.transforms import COMPOUND, GEOMETRIC, MaskAware
from cfcn_plugin.mm.transforms.transform_kinds import unwrap

WHITE = 255  # padding that is not context's 0, and not the object's green
# every type in GEOMETRIC at least once, and what inherits from one
CASES = {
    'Resize': dict(type='Resize', scale=(70, 50)),
    'Resize up': dict(type='Resize', scale=(301, 233)),
    'Resize keep_ratio': dict(type='Resize', scale=(90, 80), keep_ratio=True),
    'Resize factor': dict(type='Resize', scale_factor=0.7),
    'Resize pillow': dict(type='Resize', scale=(70, 50), backend='pillow'),
    'RandomResize': dict(type='RandomResize', scale=(160, 120), ratio_range=(0.5, 1.5)),
    'RandomChoiceResize': dict(
        type='RandomChoiceResize', scales=[(60, 70), (100, 80), (150, 150)]
    ),
    'RandomFlip': dict(type='RandomFlip', prob=0.5),
    'RandomFlip both': dict(
        type='RandomFlip',
        prob=[0.3, 0.3, 0.3],
        direction=['horizontal', 'vertical', 'diagonal'],
    ),
    'CenterCrop': dict(type='CenterCrop', crop_size=80),
    'CenterCrop auto_pad': dict(
        type='CenterCrop',
        crop_size=(200, 60),
        auto_pad=True,
        pad_cfg=dict(type='Pad', pad_val=WHITE),
    ),
    'Pad': dict(type='Pad', size=(200, 190), pad_val=WHITE),
    'Pad to square': dict(
        type='Pad',
        pad_to_square=True,
        size_divisor=32,
        pad_val=dict(img=(WHITE, WHITE, WHITE), seg=7),
    ),
    'RandomResizedCrop': dict(
        type='RandomResizedCrop', scale=96, crop_ratio_range=(0.25, 1.0)
    ),
    'RandomResizedCrop bicubic': dict(
        type='RandomResizedCrop',
        scale=(64, 96),
        interpolation='bicubic',
        backend='pillow',
    ),
    'EfficientNetRandomCrop': dict(type='EfficientNetRandomCrop', scale=96),
    'RandomCrop': dict(type='RandomCrop', crop_size=(70, 60)),
    'RandomCrop padding': dict(
        type='RandomCrop', crop_size=90, padding=16, pad_val=WHITE
    ),
    'RandomCrop pad_if_needed': dict(
        type='RandomCrop',
        crop_size=190,
        pad_if_needed=True,
        pad_val=(WHITE, WHITE, WHITE),
    ),
    'RandomCrop reflect': dict(
        type='RandomCrop', crop_size=190, pad_if_needed=True, padding_mode='reflect'
    ),
    'ResizeEdge': dict(type='ResizeEdge', scale=75),
    'ResizeEdge long': dict(type='ResizeEdge', scale=333, edge='long'),
    'EfficientNetCenterCrop': dict(type='EfficientNetCenterCrop', crop_size=96),
    'Rotate': dict(type='Rotate', angle=30.0, pad_val=WHITE),
    'Shear': dict(type='Shear', magnitude=0.3, pad_val=WHITE),
    'Shear vertical': dict(
        type='Shear', magnitude=0.3, direction='vertical', pad_val=(WHITE,) * 3
    ),
    'Translate': dict(type='Translate', magnitude=0.2, pad_val=WHITE),
    'RandomApply': dict(
        type='RandomApply',
        transforms=[
            dict(type='RandomFlip', prob=1.0),
            dict(type='ColorJitter', contrast=0.1),
            dict(type='Resize', scale=(96, 90)),
        ],
    ),
    'RandomChoice': dict(
        type='RandomChoice',
        transforms=[
            [dict(type='RandomCrop', crop_size=90)],
            [dict(type='ResizeEdge', scale=75), dict(type='CenterCrop', crop_size=60)],
        ],
    ),
    'RandAugment': dict(
        type='RandAugment',
        num_policies=2,
        magnitude_level=9,
        magnitude_std=0.5,
        hparams=dict(pad_val=WHITE),
        policies=[
            dict(type='Rotate', magnitude_range=(0, 30)),
            dict(type='Shear', magnitude_range=(0, 0.3)),
            dict(type='Translate', magnitude_range=(0, 0.45)),
            dict(type='Brightness', magnitude_range=(0, 0.1)),
        ],
    ),
    'AutoAugment': dict(
        type='AutoAugment',
        policies=[
            [dict(type='Rotate', angle=20.0, pad_val=WHITE, prob=0.8)],
            [
                dict(type='Sharpness', magnitude=0.1),
                dict(type='Translate', magnitude=0.1, pad_val=WHITE),
            ],
        ],
    ),
    **{
        f'torchvision/{name}': dict(type=f'torchvision/{name}', **kwargs)
        for name, kwargs in dict(
            CenterCrop=dict(size=90),
            ElasticTransform=dict(alpha=60.0),
            Pad=dict(padding=12, fill=WHITE),
            RandomAffine=dict(degrees=20, shear=8, scale=(0.8, 1.2), fill=WHITE),
            RandomCrop=dict(size=90, padding=12, fill=WHITE),
            RandomHorizontalFlip={},
            RandomPerspective=dict(p=0.8, fill=WHITE),
            RandomResizedCrop=dict(size=96, scale=(0.3, 1)),
            RandomRotation=dict(degrees=40, interpolation='bilinear', fill=WHITE),
            RandomVerticalFlip={},
            Resize=dict(size=(70, 90)),
            AutoAugment=dict(fill=[WHITE] * 3),
            RandAugment=dict(fill=[WHITE] * 3),
            TrivialAugmentWide=dict(fill=[WHITE] * 3),
        ).items()
    },
    'MAERandomResizedCrop': dict(
        type='MAERandomResizedCrop', size=96, scale=(0.3, 1), interpolation=3
    ),
}
TAKES_PIL = [case for case in CASES if 'torchvision' in case or 'MAE' in case]
# keep no settings of their own
HOLDERS = ('RandomApply', 'RandomChoice', 'RandAugment', 'AutoAugment')
LEAVES = [case for case in CASES if case not in (*HOLDERS, *TAKES_PIL)]


class ByPIL:
    """A transform between others that take and give arrays."""

    def __init__(self, transform):
        self.transform = transform

    def __call__(self, results):
        results['img'] = Image.fromarray(results['img'])
        results = self.transform(results)
        results['img'] = np.asarray(results['img'])
        return results


def build_stock(case):
    stock = TRANSFORMS.build(CASES[case])
    return ByPIL(stock) if case in TAKES_PIL else stock


def build_aware(case):
    aware = MaskAware(CASES[case])
    return ByPIL(aware) if case in TAKES_PIL else aware


def make_sample(height=120, width=164, **fields):
    """Noise of red and blue with a green box, off the middle, and the box as mask."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[30:85, 40:125] = 1
    mask[20:30, 40:60] = 1  # a corner, so that no flip maps it to itself
    image[..., 1] = 255 * mask
    return dict(
        img=image,
        img_path='a.jpg',
        img_shape=(height, width),
        ori_shape=(height, width),
        activation_mask=mask,
        **fields,
    )


def green(image):
    """Where a BGR image is green; white and grey padding is not."""
    return (image[..., 1] > 127) & (image[..., 2] < 100)


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def next_numbers():
    return random.random(), np.random.rand(), torch.rand(()).item()


@pytest.fixture(autouse=True)
def scope():
    """mmcv's transforms that run others build them in the default scope."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture
def colours_stay(monkeypatch):
    """torchvision's policies without their photometric operations."""
    moves = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')
    apply = autoaugment._apply_op
    monkeypatch.setattr(
        autoaugment,
        '_apply_op',
        lambda image, name, *args, **kwargs: (
            apply(image, name, *args, **kwargs) if name in moves else image
        ),
    )


def test_cases_cover_every_known_type():
    used = {type(unwrap(TRANSFORMS.build(config))) for config in CASES.values()}
    # which others hold, and which needs an optional package: test_albumented.py
    assert used >= {*GEOMETRIC, *COMPOUND} - {Compose, processing.Albumentations}


# ---- one draw --------------------------------------------------------------


@pytest.mark.parametrize('case', CASES)
def test_moved_mask_is_the_mask_of_the_moved_image(case, colours_stay):
    wrapped = build_aware(case)
    agree = []
    for seed in range(20):
        seed_all(seed)
        results = wrapped(make_sample())
        mask = results['activation_mask']
        assert mask.dtype == np.uint8
        assert mask.flags.c_contiguous and mask.flags.writeable
        assert set(np.unique(mask)) <= {0, 1}
        agree.append((mask == green(results['img'])).mean())
    assert np.mean(agree) >= 0.99
    assert min(agree) >= 0.99


@pytest.mark.parametrize('case', CASES)
def test_image_and_random_state_are_those_of_the_stock_transform(case):
    stock, wrapped = build_stock(case), build_aware(case)
    for seed in range(5):
        seed_all(seed)
        expected = make_sample()
        expected.pop('activation_mask')
        expected, after = stock(expected), next_numbers()
        seed_all(seed)
        results = wrapped(make_sample(ignore_mask=np.ones((120, 164), np.uint8)))
        assert next_numbers() == after
        np.testing.assert_array_equal(results.pop('img'), expected.pop('img'))
        for key in ('activation_mask', 'ignore_mask', 'mask_flip'):
            results.pop(key, None)
        assert results == expected


@pytest.mark.parametrize('case', CASES)
def test_planes_and_ignore_mask_move_together(case):
    one = make_sample()
    mask = one['activation_mask']
    many = make_sample(ignore_mask=mask)
    many['activation_mask'] = np.stack([mask, 1 - mask, mask])
    wrapped = build_aware(case)
    seed_all(3)
    one = wrapped(one)['activation_mask']
    seed_all(3)
    many = wrapped(many)
    assert many['activation_mask'].shape == (3, *one.shape)
    np.testing.assert_array_equal(many['activation_mask'][0], one)
    np.testing.assert_array_equal(many['activation_mask'][2], one)
    np.testing.assert_array_equal(many['ignore_mask'], one)


def test_resized_mask_is_the_exact_nearest_neighbour():
    rng = np.random.default_rng(0)
    for _ in range(100):
        height, width, *size = (int(side) for side in rng.integers(1, 500, 4))
        mask = rng.integers(0, 2, (height, width), dtype=np.uint8)
        results = MaskAware(dict(type='Resize', scale=tuple(size)))(
            dict(img=np.zeros((height, width, 3), np.uint8), activation_mask=mask)
        )
        np.testing.assert_array_equal(
            results['activation_mask'],
            cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT),
        )


@pytest.mark.parametrize(
    'config',
    [
        dict(type='Pad', size=(200, 190), pad_val=WHITE),
        dict(
            type='RandomCrop', crop_size=190, pad_if_needed=True, pad_val=(WHITE,) * 3
        ),
        dict(type='RandomCrop', crop_size=190, padding=40, pad_val=(WHITE,) * 3),
        dict(
            type='CenterCrop',
            crop_size=190,
            auto_pad=True,
            pad_cfg=dict(type='Pad', pad_val=WHITE),
        ),
    ],
)
def test_padding_fills_masks_with_context(config):
    sample = make_sample()
    sample['activation_mask'] = np.ones((2, 120, 164), np.uint8)
    sample['ignore_mask'] = np.ones((120, 164), np.uint8)
    results = MaskAware(config)(sample)
    padded = (results['img'] == WHITE).all(-1)
    assert padded.any()
    for mask in (*results['activation_mask'], results['ignore_mask']):
        np.testing.assert_array_equal(mask, ~padded)


def test_chain_of_transforms_keeps_mask_on_image():
    chain = [
        MaskAware(CASES[case])
        for case in (
            'RandomResize',
            'RandomFlip both',
            'RandomResizedCrop',
            'Pad to square',
        )
    ]
    for seed in range(10):
        seed_all(seed)
        results = make_sample()
        for transform in chain:
            results = transform(results)
        mask = results['activation_mask']
        assert (mask == green(results['img'])).mean() >= 0.98  # blurred twice
        assert results['flip'] == results.get('mask_flip', False)


def test_two_by_two_by_hand():
    sample = dict(
        img=np.arange(4, dtype=np.uint8).reshape(2, 2, 1).repeat(3, -1),
        activation_mask=np.array([[1, 0], [0, 0]], np.uint8),
    )
    results = MaskAware(dict(type='RandomFlip', prob=1.0))(sample)
    np.testing.assert_array_equal(results['activation_mask'], [[0, 1], [0, 0]])
    results = MaskAware(dict(type='Resize', scale=(4, 2)))(results)
    np.testing.assert_array_equal(
        results['activation_mask'], [[0, 0, 1, 1], [0, 0, 0, 0]]
    )


@pytest.mark.parametrize('fields', [{}, dict(guided=False)])
def test_unguided_sample_goes_through_the_stock_transform(fields):
    sample = make_sample(**fields)
    sample.pop('activation_mask')
    results = MaskAware(dict(type='CenterCrop', crop_size=80))(sample)
    assert results['img'].shape == (80, 80, 3)
    assert 'activation_mask' not in results and 'ignore_mask' not in results


# ---- photometric -----------------------------------------------------------


def test_photometric_transform_leaves_the_mask_alone():
    sample = make_sample()
    mask, image = sample['activation_mask'], sample['img'].copy()
    results = MaskAware(dict(type='ColorJitter', brightness=0.9), photometric=True)(
        sample
    )
    assert results['activation_mask'] is mask
    assert (results['img'] != image).any()


def test_photometric_transform_that_changes_the_size_is_an_error():
    wrapped = MaskAware(dict(type='Resize', scale=(60, 50)), photometric=True)
    with pytest.raises(ValueError, match='after Resize, `activation_mask`'):
        wrapped(make_sample())


@pytest.mark.parametrize('name', ['ColorJitter', 'RandomErasing', 'Solarize'])
def test_known_photometric_transform_needs_no_declaration(name):
    kwargs = dict(
        ColorJitter=dict(brightness=0.9),
        RandomErasing=dict(erase_prob=1.0),
        Solarize=dict(thr=30, prob=1.0),
    )[name]
    sample = make_sample()
    mask, image = sample['activation_mask'], sample['img'].copy()
    results = MaskAware(dict(type=name, **kwargs))(sample)
    assert results['activation_mask'] is mask
    assert (results['img'] != image).any()


COLOURS = [
    getattr(processing, name)
    for name in (
        'AutoContrast',
        'Brightness',
        'ColorTransform',
        'Contrast',
        'Cutout',
        'Equalize',
        'Invert',
        'Posterize',
        'Sharpness',
        'Solarize',
        'SolarizeAdd',
    )
]


def keep_colours(transform):

    def draw_only(self, results):
        transform(self, dict(results))
        return results

    return draw_only


@pytest.mark.parametrize(
    'config',
    [
        dict(
            type='RandAugment',
            policies='timm_increasing',
            num_policies=3,
            magnitude_level=9,
            magnitude_std=0.5,
            hparams=dict(pad_val=WHITE),
        ),
        dict(type='AutoAugment', policies='imagenet', hparams=dict(pad_val=WHITE)),
    ],
)
def test_policy_moves_the_mask_by_its_geometric_operations_alone(config, monkeypatch):
    wrapped, agree = MaskAware(config), []
    for seed in range(60):
        seed_all(seed)
        mask = wrapped(make_sample())['activation_mask']
        with monkeypatch.context() as patch:  # an image that keeps its colours
            for kind in COLOURS:
                patch.setattr(kind, 'transform', keep_colours(kind.transform))
            seed_all(seed)
            image = wrapped(make_sample())['img']
        agree.append((mask == green(image)).mean())
    assert min(agree) >= 0.98  # bent twice


# ---- errors ----------------------------------------------------------------


class Swirl(BaseTransform):
    """Of a user: whether it moves pixels is not known."""

    def transform(self, results):
        return results


@pytest.mark.parametrize(
    'transform',
    [Swirl(), TRANSFORMS.build(dict(type='RandomApply', transforms=[Swirl()]))],
)
def test_unknown_transform_is_refused_by_name(transform):
    with pytest.raises(TypeError, match='does not support Swirl') as caught:
        MaskAware(transform)
    assert 'RandomResizedCrop' in str(caught.value)
    assert '`photometric=True`' in str(caught.value)


@pytest.mark.parametrize('key', ['activation_mask', 'ignore_mask'])
def test_sizes_that_disagree_name_transform_file_sizes_and_remedy(key):
    sample = make_sample()
    sample[key] = np.ones((60, 164), np.uint8)  # an unwrapped crop came before
    with pytest.raises(ValueError) as caught:
        MaskAware(RandomFlip(prob=1.0))(sample)
    for part in (
        'after RandomFlip',
        f'`{key}`',
        "'a.jpg'",
        '(60, 164)',
        '(120, 164)',
        'every earlier transform',
        'MaskAware',
    ):
        assert part in str(caught.value)


def settings(transform):
    transform = unwrap(transform)
    inside = [part for part in vars(transform).values() if hasattr(part, '__dict__')]
    # the size a random resize drew last is the stock transform's own business
    return [
        {name: value for name, value in vars(part).items() if name != 'scale'}
        for part in (transform, *inside)
    ]


DRAW_NOTHING = [
    case
    for case in CASES
    if case.split()[0].removeprefix('torchvision/')
    in ('Resize', 'ResizeEdge', 'CenterCrop', 'Pad', 'EfficientNetCenterCrop')
]


@pytest.fixture
def threads():
    """Several at once, which change places all the time."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(4) as pool:
        yield pool
    sys.setswitchinterval(interval)


@pytest.mark.parametrize('case', CASES)
def test_threads_may_use_one_together(case, colours_stay, threads):
    wrapped = build_aware(case)
    sample = make_sample()
    sample['ignore_mask'] = sample['activation_mask']
    expected = wrapped(dict(sample))
    for results in threads.map(lambda _: wrapped(dict(sample)), range(24)):
        mask = results['activation_mask']
        assert (mask == green(results['img'])).mean() >= 0.97  # draws are not seeded
        np.testing.assert_array_equal(results['ignore_mask'], mask)
        if case in DRAW_NOTHING:
            np.testing.assert_array_equal(results['img'], expected['img'])
            np.testing.assert_array_equal(mask, expected['activation_mask'])


@pytest.mark.parametrize('case', CASES)
def test_a_pickled_one_draws_and_moves_alike(case):
    aware = build_aware(case)
    found = []
    for one in (aware, pickle.loads(pickle.dumps(aware))):  # to a loader's worker
        seed_all(1)
        found.append(one(make_sample()))
    for key in ('img', 'activation_mask'):
        np.testing.assert_array_equal(found[0][key], found[1][key])


@pytest.mark.parametrize('case', CASES)
def test_settings_are_restored_after_a_call(case):
    stock = TRANSFORMS.build(CASES[case])
    before = settings(stock), autoaugment._apply_op
    aware = MaskAware(stock)
    (ByPIL(aware) if case in TAKES_PIL else aware)(make_sample())
    assert (settings(stock), autoaugment._apply_op) == before


@pytest.mark.parametrize('case', LEAVES)
def test_settings_are_restored_after_an_exception(case):

    class RefusesMasks(type(TRANSFORMS.build(CASES[case]))):
        def transform(self, results):
            if results['img'].ndim == 2:
                raise RuntimeError('no masks here')
            return super().transform(results)

    config = {k: v for k, v in CASES[case].items() if k != 'type'}
    stock = RefusesMasks(**config)
    before = settings(stock)
    with pytest.raises(RuntimeError, match='no masks here'):
        MaskAware(stock)(make_sample())
    assert settings(stock) == before


def test_repr_shows_the_transform_inside():
    shown = repr(MaskAware(dict(type='CenterCrop', crop_size=80)))
    assert shown.startswith('MaskAware(transform=CenterCrop(crop_size = (80, 80)')
    assert 'photometric=False' in shown
