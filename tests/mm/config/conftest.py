"""Stock configs of mmpretrain."""

import pytest
from mmengine.hub import get_config

# one for each of the zoo's pipelines and unusual heads
STOCK = [
    'resnet/resnet18_8xb32_in1k',
    'resnet/resnet18_8xb16_cifar10',
    'resnet/resnet50_8xb8_cub',
    'resnest/resnest101_32xb64_in1k',
    'regnet/regnetx-400mf_8xb128_in1k',
    'lenet/lenet5_mnist',
    'arcface/resnet50-arcface_8xb32_inshop',
    'csra/resnet101-csra_1xb16_voc07-448px',
    'conformer/conformer-tiny-p16_8xb128_in1k',
    'deit/deit-tiny_4xb256_in1k',
    'mobilenet_v3/mobilenet-v3-large_8xb128_in1k',
    'mobileone/mobileone-s1_8xb32_in1k',
    'efficientnet/efficientnet-b0_8xb32_in1k',
    'convnext/convnext-base_32xb128_in21k',
    'spark/benchmarks/convnextv2-tiny_8xb256-coslr-300e_in1k',
    'mff/benchmarks/vit-base-p16_8xb2048-linear-coslr-90e_in1k',
]


@pytest.fixture
def stock():
    """A function that gives a stock config with some keys changed."""

    def make(name='resnet/resnet18_8xb32_in1k', **changes):
        cfg = get_config(f'mmpretrain::{name}.py')
        cfg.merge_from_dict(changes)
        return cfg

    return make


@pytest.fixture(params=STOCK)
def zoo_config(request, stock):
    return stock(request.param)
