"""A sample of the proof over the zoo; the whole of it is in docs/pipelines.md."""

import random

import numpy as np
import pytest
import torch
from mm_zoo import stock, train_pipelines
from pipelines import (
    agreement,
    check,
    distinct_pipelines,
    image_and_mask,
    is_green,
    table,
)

from cfcn_plugin.mm.transforms import MaskAware

FEW = (
    'swin_transformer/swin-tiny_16xb64_in1k',  # RandAugment, RandomErasing
    'mobilenet_v3/mobilenet-v3-small_8xb16_cifar10',  # images in memory
    'lenet/lenet5_mnist',  # grey ones
    'mff/benchmarks/vit-base-p16_8xb2048-linear-coslr-90e_in1k',  # PIL
)
MORE = (
    'mobilenet_v3/mobilenet-v3-large_8xb128_in1k',  # AutoAugment
    'spark/benchmarks/convnextv2-tiny_8xb256-coslr-300e_in1k',  # torchvision's policy
    'resnest/resnest50_32xb64_in1k',  # RandAugment before the crop, Lighting
    'van/van-base_8xb128_in1k',  # ColorJitter
    'efficientnet/efficientnet-b8_8xb32-01norm_in1k',
    'resnet/resnet50_8xb8_cub',  # Resize, RandomCrop
    'csra/resnet101-csra_1xb16_voc07-448px',
    'arcface/resnet50-arcface_8xb32_inshop',
)


@pytest.mark.parametrize('name', FEW)
def test_masks_follow_and_images_stay_the_stock_ones(name):
    result = check(stock(name), draws=10)
    assert result['verdict'] == 'ok', result
    assert result['equal'] and result['agreement'] >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize('name', [*FEW, *MORE])
def test_masks_follow_in_50_draws(name):
    cfg = stock(name)
    for index in range(len(train_pipelines(cfg))):
        result = check(cfg, index)
        assert result['verdict'] == 'ok', result
        assert result['draws'] == 50


def test_pipelines_of_later_epochs_are_among_them():
    cfg = stock('mobileone/mobileone-s1_8xb32_in1k')
    found = train_pipelines(cfg)
    assert len(found) == 3
    assert {
        step['scale']
        for pipeline in found
        for step in pipeline
        if step['type'] == 'RandomResizedCrop'
    } == {160, 192, 224}
    assert check(cfg, 1, draws=2)['size'] == [192, 192]


def test_a_pipeline_is_named_after_its_first_config():
    twice, other = stock(FEW[0]), stock(FEW[1])
    assert distinct_pipelines(dict(a=twice, b=other, c=twice)) == dict(
        a=['a', 'c'], b=['b']
    )


# ---- what the check would not overlook -----------------------------------------


@pytest.fixture
def mutated(monkeypatch):
    """MaskAware with another mask: ``change(transform, mask before, mask after)``."""
    transform = MaskAware.transform

    def mutate(change):

        def run(self, results):
            before = results['activation_mask']
            results = transform(self, results)
            results['activation_mask'] = change(
                self.inner, before, results['activation_mask']
            )
            return results

        monkeypatch.setattr(MaskAware, 'transform', run)

    return mutate


def test_a_mask_that_lies_elsewhere_is_wrong(mutated):
    mutated(lambda transform, before, after: np.roll(after, 6, axis=-1))
    result = check(stock(FEW[0]), draws=2)
    assert result['verdict'] == 'wrong'
    assert result['reason'] == 'the mask is elsewhere'


def test_a_mask_that_is_not_flipped_is_wrong(mutated):
    mutated(
        lambda transform, before, after: (
            before if type(transform).__name__ == 'RandomFlip' else after
        )
    )
    assert check(stock(FEW[0]), draws=8)['reason'] == 'the mask is elsewhere'


def test_one_more_random_number_is_wrong(mutated):
    mutated(lambda transform, before, after: after if random.random() else before)
    result = check(stock(FEW[0]), draws=2)
    assert (result['verdict'], result['equal']) == ('wrong', False)
    assert result['reason'].startswith('the image differs')


def test_the_mask_of_the_image_is_its_green():
    for shape in ((300, 400, 3), (28, 28)):
        image, mask = image_and_mask(shape)
        planes = torch.from_numpy(image.reshape(*shape[:2], -1)).permute(2, 0, 1)
        assert torch.equal(is_green(planes), torch.from_numpy(mask))
        for flipped in (mask[::-1], mask[:, ::-1]):
            assert (mask != flipped).mean() > 0.05


def test_pixels_along_outlines_do_not_count():
    green = torch.zeros(100, 100, dtype=torch.bool)
    green[:, 50:] = True
    off_by_one, off_by_five = green.clone(), green.clone()
    off_by_one[:, 49] = True
    off_by_five[:, 45:] = True
    assert agreement(off_by_one, green) == 1
    assert agreement(off_by_five, green) == pytest.approx(94 / 98)


def test_a_pipeline_that_failed_has_its_reason_in_the_table():
    text = table({'a/b': dict(verdict='error', reason='died')}, {'a/b': ['a/b']})
    assert '0 of 1 distinct' in text
    assert text.splitlines()[-1].endswith('error died |')
