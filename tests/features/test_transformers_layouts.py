"""Small classifiers of transformers, each against what its pooling receives."""

import pytest
import torch
from references import compare, corners, pooled_reference

from cfcn_plugin.features import (
    FeatureHook,
    attention_input,
    last_stage_activation,
    locate,
)

transformers = pytest.importorskip('transformers')
from small_transformers import SMALL, small  # noqa: E402

# Not square where the model allows it
SIZE = {
    'DeiT': (64, 64),
    'CLIP': (64, 64),
    'MetaClip2': (64, 64),
    'Siglip': (64, 64),
    'ViT': (64, 64),
    'ViTMSN': (64, 64),
    'IJepa': (64, 64),
    'Pvt': (64, 64),
    'Hiera': (64, 64),
    'Levit': (128, 128),
    'MobileNetV1': (128, 192),
    'MobileNetV2': (128, 192),
    'MobileViTV2': (128, 192),
    'PPLCNet': (128, 192),
    'EfficientNet': (128, 192),
    'HGNetV2': (128, 192),
    'MobileViT': (128, 192),
}
# Their cells see the whole of so small an image
GLOBAL = ('HGNetV2', 'PPLCNet')


def images(size):
    return torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('name', SMALL)
def test_map_is_what_the_pooling_receives(name):
    model = small(name)
    inputs = images(SIZE.get(name, (64, 96))).requires_grad_()
    activation = last_stage_activation(model, inputs)
    reference = pooled_reference(model, inputs)

    assert activation.abs().max() > 1e-3
    if name == 'Cvt':  # its class token has a stream of its own
        assert reference is None
    else:
        assert compare(activation, reference) == 'equal'
    assert name in GLOBAL or corners(activation, inputs) == 4
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize(
    'name, head, module',
    [
        ('DeiT', 'ForImageClassificationWithTeacher', 'deit'),
        ('ViT', 'Model', ''),
        ('Beit', 'Model', ''),
        ('ResNet', 'Model', ''),
    ],
)
def test_model_with_another_head_or_none_is_known(name, head, module):
    assert locate(small(name, head)).module == module


def test_beit_that_pools_by_its_class_token_has_the_same_grid():
    model = small('Beit', use_mean_pooling=False)
    assert last_stage_activation(model, images((64, 96))).shape == (1, 20, 4, 6)


def test_tuple_instead_of_an_output_has_the_same_map():
    inputs = images((64, 96))
    found = [
        last_stage_activation(small('ResNet', return_dict=value), inputs)
        for value in (True, False)
    ]
    torch.testing.assert_close(*found)


def test_timm_model_in_the_wrapper_of_transformers_is_found():
    config = transformers.TimmWrapperConfig(
        architecture='test_resnet.r160_in1k', num_labels=3
    )
    model = transformers.TimmWrapperForImageClassification(config)
    assert locate(model).module == 'timm_model.global_pool'


@pytest.mark.parametrize(
    'target, shape',
    [
        ('swin.layernorm', (16, 16, 24)),
        ('swin.embeddings.patch_embeddings.projection', (8, 16, 24)),
    ],
)
def test_named_map_is_read_by_the_images_proportions(target, shape):
    model, inputs = small('Swin', depths=[1], num_heads=[1]), images((64, 96))
    hook = FeatureHook(target).attach(model)
    with hook:
        model(inputs)
        assert hook.take(inputs).shape[2:] == shape[1:]


@pytest.mark.parametrize('name', ['ViT', 'DeiT', 'Beit', 'Dinov2', 'CLIP', 'Pvt'])
def test_class_tokens_read_the_map_by_the_last_attention(name):
    model = small(name)
    layout = attention_input(model, locate(model))
    assert layout.module.split('.')[-1].startswith(('norm', 'layer'))
    hook = FeatureHook(layout.module).attach(model)
    with hook:
        model(images((64, 64)))
        assert hook.take(images((64, 64))).shape[2] == (2 if name == 'Pvt' else 4)
