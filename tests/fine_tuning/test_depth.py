import pytest
import timm
import torch
from torch import nn

from cfcn_plugin.fine_tuning import layers_by_depth


def test_a_timm_model_is_grouped_by_its_own_matcher():
    layers = layers_by_depth(timm.create_model('resnet18'))
    assert layers[0] == ['conv1.weight', 'bn1.weight', 'bn1.bias']
    assert 'layer1.0.conv1.weight' in layers[1]
    assert len(layers) == 10  # a stem, 8 blocks, a classifier
    assert layers[-1] == ['fc.weight', 'fc.bias']


def test_class_token_and_position_are_of_the_first_layer():
    model = timm.create_model(
        'vit_tiny_patch16_224', depth=2, embed_dim=8, num_heads=2, img_size=32
    )
    assert {'cls_token', 'pos_embed'} <= set(layers_by_depth(model)[0])


def test_a_backbone_that_tells_its_depth_is_asked():
    class Interleaved(nn.Module):  # defined in another order than it runs
        def __init__(self):
            super().__init__()
            self.down = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
            self.stages = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])

        def get_layer_depth(self, name, prefix=''):
            kind, stage = name.removeprefix(prefix).split('.')[:2]
            return 2 * int(stage) + (kind == 'stages'), 5

    assert [layer[0] for layer in layers_by_depth(Interleaved())] == [
        'down.0.weight',
        'stages.0.weight',
        'down.1.weight',
        'stages.1.weight',
    ]


@pytest.mark.parametrize(
    'config, first, last, count',
    [
        (dict(type='ResNet', depth=18), 'conv1.weight', 'layer4.1.', 40),
        (dict(type='ResNet', depth=50), 'conv1.weight', 'layer4.2.', 7),
        (
            dict(
                type='ResNet',
                depth=50,
                num_stages=1,
                out_indices=(0,),
                strides=(1,),
                dilations=(1,),
            ),
            'conv1.weight',
            'layer1.2.',
            22,
        ),
        (dict(type='ResNet', depth=101), 'conv1.weight', 'layer4.2.', 13),
        (
            dict(type='VisionTransformer', arch='deit-t', img_size=32),
            'cls_token',
            'ln1.',
            14,
        ),
        (dict(type='ConvNeXt', arch='atto'), 'downsample_layers.0.', 'norm3.', 7),
    ],
    ids=lambda value: (
        str(value.get('depth', value['type'])) if isinstance(value, dict) else ''
    ),
)
def test_backbones_of_mmpretrain_have_many_layers_in_their_order(
    config, first, last, count
):
    registry = pytest.importorskip('mmpretrain.registry')
    model = registry.MODELS.build({**config, 'type': f'mmpretrain.{config["type"]}'})
    layers = layers_by_depth(model)
    assert layers[0][0].startswith(first)
    assert layers[-1][-1].startswith(last)
    assert len(layers) == count
    assert sorted(sum(layers, [])) == sorted(
        name for name, _ in model.named_parameters()
    )


def test_layers_of_another_model_are_its_modules_in_their_order():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4), nn.Linear(4, 2)
    )
    assert layers_by_depth(model) == [
        ['0.weight', '0.bias'],
        ['2.weight', '2.bias'],
        ['3.weight', '3.bias'],
    ]


def test_each_parameter_is_in_one_layer():
    for name in (
        'convnext_atto',
        'tf_efficientnet_lite0',
        'swin_tiny_patch4_window7_224',
    ):
        with torch.device('meta'):
            model = timm.create_model(name)
        names = [one for layer in layers_by_depth(model) for one in layer]
        assert sorted(names) == sorted(one for one, _ in model.named_parameters())
