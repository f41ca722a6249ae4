"""A head's width is filled in, or a wrong one named."""

import pytest
from mmpretrain.registry import MODELS

import cfcn_plugin.mm  # noqa: F401

GAP = dict(type='GlobalAveragePooling')
LINEAR = dict(type='LinearClsHead', num_classes=2)


def build(backbone, neck=GAP, head=LINEAR):
    return MODELS.build(
        dict(type='GuidedClassifier', backbone=backbone, neck=neck, head=head)
    )


@pytest.mark.parametrize(
    'backbone,width',
    [
        (dict(type='ResNet', depth=18), 512),
        (dict(type='CFCNNet', filters=[4, 6]), 6),
        (dict(type='GuidedTIMMBackbone', model_name='mobilenetv3_small_050'), 1024),
        (dict(type='GuidedTIMMBackbone', model_name='convnext_atto'), 320),
        (dict(type='GuidedTIMMBackbone', model_name='vit_tiny_patch16_224'), 192),
    ],
)
def test_width_is_the_map_s_channels(backbone, width):
    model = build(backbone)
    assert model.head.in_channels == width
    assert model.resolved == {'head.in_channels': width}


def test_explicit_right_width_is_kept():
    model = build(dict(type='ResNet', depth=18), head=dict(in_channels=512, **LINEAR))
    assert model.resolved == {}


def test_explicit_wrong_width_names_the_right_one():
    with pytest.raises(ValueError, match='in_channels=2048.*ResNet.*512'):
        build(dict(type='ResNet', depth=18), head=dict(in_channels=2048, **LINEAR))


def test_width_after_an_unknown_neck_must_be_given():
    with pytest.raises(ValueError, match='needs `in_channels`.*LinearNeck'):
        build(
            dict(type='ResNet', depth=18),
            dict(type='LinearNeck', in_channels=512, out_channels=8),
        )


@pytest.mark.parametrize(
    'name', ['swin_tiny_patch4_window7_224', 'vit_tiny_patch16_224']
)
def test_stock_pooling_over_tokens_names_the_remedy(name):
    with pytest.raises(ValueError, match='wrong axes.*GuidedTIMMBackbone'):
        build(dict(type='TIMMBackbone', model_name=name))
