"""Every line of the table against a reference that does not know the table."""

import pickle

import pytest
import timm
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import nn

import cfcn_plugin.mm  # noqa: F401  (registers our classes)
from cfcn_plugin.features import (
    FeatureHook,
    Layout,
    UnknownBackbone,
    attention_input,
    last_stage_activation,
    locate_below_head,
    timm_output,
)
from cfcn_plugin.features.layout import hookable, patch_size
from cfcn_plugin.features.locate import locate

IMAGE = (64, 96)  # not square: a transposed grid shows

# name: (options that make it small, how `forward_features` lies, prefix tokens)
SHALLOW_SWIN = dict(
    img_size=IMAGE, embed_dim=12, depths=(1, 1, 1, 1), num_heads=(1, 1, 2, 2)
)
TIMM = {
    'resnet18': ({}, 'NCHW', 0),
    'tf_efficientnet_lite0': ({}, 'NCHW', 0),
    'convnext_atto': ({}, 'NCHW', 0),
    'mobilenetv3_small_050': ({}, 'NCHW', 0),
    'swin_tiny_patch4_window7_224': (SHALLOW_SWIN, 'NHWC', 0),
    'vit_tiny_patch16_224': (dict(img_size=IMAGE, depth=2), 'NLC', 1),
    'deit_tiny_distilled_patch16_224': (dict(img_size=IMAGE, depth=2), 'NLC', 2),
}
TRANSFORMERS = [name for name, row in TIMM.items() if row[1] == 'NLC']


def images(batch=2, size=IMAGE):
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(0))


def hooks_on(model):
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()
    )


def seen_by_plain_hook(model, name, inputs):
    """What a module gives, by a hook of torch's own."""
    found = []
    handle = model.get_submodule(name).register_forward_hook(
        lambda module, args, output: found.append(output)
    )
    model(inputs)
    handle.remove()
    return found[-1]


# ---- timm: `forward_features` is the oracle --------------------------------


@pytest.fixture(scope='module')
def timm_models():
    torch.manual_seed(0)
    return {
        name: timm.create_model(name, pretrained=False, num_classes=3, **options).eval()
        for name, (options, *_) in TIMM.items()
    }


@pytest.mark.parametrize('name', TIMM)
@torch.no_grad()
def test_timm_map_is_what_forward_features_makes(timm_models, name):
    model, (_, lies, prefix) = timm_models[name], TIMM[name]
    expected = model.forward_features(images())
    if lies == 'NHWC':
        expected = expected.permute(0, 3, 1, 2)
    if lies == 'NLC':
        expected = expected[:, prefix:].transpose(1, 2).reshape(2, -1, 4, 6)

    activation = last_stage_activation(model, images())

    torch.testing.assert_close(activation, expected)
    assert activation.shape[1] == locate_below_head(model).channels
    assert activation.shape[-2] < activation.shape[-1]
    assert hooks_on(model) == 0


# timm refuses a distilled model without its head
@pytest.mark.parametrize('name', [n for n in TIMM if 'distilled' not in n])
@torch.no_grad()
def test_timm_output_knows_the_width_of_a_model_without_its_end(timm_models, name):
    model, (options, *_) = timm_models[name], TIMM[name]
    bare = timm.create_model(
        name, pretrained=False, num_classes=0, global_pool='', **options
    ).eval()
    layout = timm_output(bare)
    activation = layout.to_nchw(bare(images()), IMAGE)
    assert activation.shape[1] == layout.channels == model.head_hidden_size
    assert activation.shape[-2] < activation.shape[-1]


@pytest.mark.parametrize('name', TRANSFORMERS)
@torch.no_grad()
def test_tokens_of_an_image_that_is_not_square_become_its_grid(timm_models, name):
    assert last_stage_activation(timm_models[name], images()).shape == (2, 192, 4, 6)


@pytest.mark.parametrize('size', [(48, 80), (80, 48), (50, 90)])
@torch.no_grad()
def test_grid_follows_a_transformer_of_dynamic_size(size):
    model = timm.create_model(
        'vit_tiny_patch16_224', depth=1, dynamic_img_size=True, dynamic_img_pad=True
    ).eval()
    rows, columns = -(-size[0] // 16), -(-size[1] // 16)
    activation = last_stage_activation(model, images(1, size))
    assert activation.shape == (1, 192, rows, columns)


# ---- mmpretrain: a plain hook on a module named here, reshaped by hand -----


def last_tokens_normalised(model, inputs):
    tokens = seen_by_plain_hook(model, 'layers.11', inputs)
    tokens = F.layer_norm(tokens, (192,), model.ln1.weight, model.ln1.bias, 1e-6)
    return tokens[:, 1:].transpose(1, 2).reshape(2, 192, 4, 6)


MM = {
    'ResNet': (dict(depth=18), lambda model, x: seen_by_plain_hook(model, 'layer4', x)),
    'SwinTransformer': (
        dict(arch='tiny', pad_small_map=True),
        lambda model, x: (
            seen_by_plain_hook(model, 'norm3', x).transpose(1, 2).reshape(2, 768, 2, 3)
        ),
    ),
    'VisionTransformer': (
        dict(arch='deit-tiny', img_size=IMAGE),
        last_tokens_normalised,
    ),
    'ConvNeXt': (
        dict(arch='atto'),
        lambda model, x: seen_by_plain_hook(model, 'stages.3.1', x),
    ),
}


@pytest.fixture(scope='module')
def mm_models():
    torch.manual_seed(0)
    models = {
        name: MODELS.build(dict(type=name, **options))
        for name, (options, _) in MM.items()
    }
    for model in models.values():
        model.eval()  # on its own line: theirs gives None
    return models


@pytest.mark.parametrize('name', MM)
@torch.no_grad()
def test_mmpretrain_map_is_what_a_plain_hook_sees(mm_models, name):
    model, (_, reference) = mm_models[name], MM[name]
    expected = reference(model, images())

    activation = last_stage_activation(model, images())

    torch.testing.assert_close(activation, expected)
    assert activation.shape[1] == locate_below_head(model).channels
    assert hooks_on(model) == 0


@torch.no_grad()
def test_map_of_a_convnext_pools_to_its_output(mm_models):
    model = mm_models['ConvNeXt']
    pooled = last_stage_activation(model, images()).mean((2, 3), keepdim=True)
    torch.testing.assert_close(model.norm3(pooled).flatten(1), model(images())[-1])


# ---- inside classifiers ----------------------------------------------------


@pytest.mark.parametrize('config, module, channels', [
    (dict(type='ImageClassifier', backbone=dict(type='ResNet', depth=18),
          neck=dict(type='GlobalAveragePooling'),
          head=dict(type='LinearClsHead', num_classes=2, in_channels=512)),
     'backbone', 512),
    (dict(type='TimmClassifier', model_name='resnet10t', num_classes=2),
     'model.global_pool', 512),
    (dict(type='ImageClassifier',
          backbone=dict(type='CFCNNet', filters=[4, 6]),
          head=dict(type='CausalFocusHead', num_classes=2, in_channels=6)),
     'head.conv', None),
    (dict(type='ImageClassifier',
          backbone=dict(type='TIMMBackbone', model_name='resnet10t'),
          neck=dict(type='GlobalAveragePooling'),
          head=dict(type='LinearClsHead', num_classes=2, in_channels=512)),
     'backbone.timm_model', 512),
])  # fmt: skip
def test_map_of_a_classifier_is_named_from_its_top(config, module, channels):
    model = MODELS.build(config)
    layout = locate(model)
    assert (layout.module, layout.channels) == (module, channels)
    model.get_submodule(layout.module)


def test_map_of_a_retriever_is_that_of_its_encoders_first_module():
    encoder = nn.Sequential(
        MODELS.build(dict(type='CFCNNet', filters=[4])), nn.Identity()
    )
    retriever = nn.Module()
    retriever.image_encoder = encoder
    assert locate(retriever).module == 'image_encoder.0'
    assert locate(retriever).channels == 4


def test_subclass_of_a_known_backbone_is_known():

    class MyResNet(MODELS.get('ResNet')):
        pass

    assert locate_below_head(MyResNet(18)).channels == 512


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.stem(x)


def test_unknown_backbone_is_an_error_that_lists_its_modules():
    with pytest.raises(UnknownBackbone, match='for Odd.*target=.*there are: stem'):
        last_stage_activation(Odd(), images())


def test_unknown_backbone_of_a_classifier_lists_names_from_the_top():
    classifier = nn.Module()
    classifier.backbone = Odd()
    with pytest.raises(ValueError, match=r'known for Odd.*backbone\.stem'):
        last_stage_activation(classifier, images())


def test_two_known_models_inside_are_an_error_that_names_both():
    model = nn.Sequential(*(timm.create_model('resnet10t') for _ in range(2)))
    with pytest.raises(UnknownBackbone, match=r'several known models inside \(0, 1\)'):
        locate(model)


def test_backbone_beside_another_model_is_the_one():
    model = nn.Module()
    model.teacher, model.model = (timm.create_model('resnet10t') for _ in range(2))
    assert locate(model).module == 'model.global_pool'


@pytest.mark.parametrize('package', ['torchvision', 'transformers', 'mmpretrain'])
def test_a_class_of_the_users_own_with_a_known_name_is_not_known(package):
    own = type('ResNet', (Odd,), {'__module__': f'my_{package}.models.resnet'})
    with pytest.raises(UnknownBackbone, match='for ResNet of my_'):
        locate(own())


def test_subclass_of_a_model_of_timm_is_known():

    class Mine(timm.models.resnet.ResNet):
        pass

    model = Mine(timm.models.resnet.BasicBlock, (1, 1, 1, 1))
    assert locate(model).module == 'global_pool'


def test_parts_of_a_model_of_timm_are_no_models():
    vit = timm.create_model('vit_tiny_patch16_224', depth=1)
    with pytest.raises(UnknownBackbone):
        locate(nn.Sequential(vit.patch_embed, vit.blocks))


def test_shallow_modules_are_listed_first():
    deep = nn.Sequential(*(nn.Sequential(nn.Identity()) for _ in range(3)))
    assert hookable(deep) == 'there are: 0, 1, 2, 0.0, 1.0, 2.0'


def test_list_of_modules_is_cut_short():
    model = nn.Sequential(*(nn.Identity() for _ in range(50)))
    assert hookable(model).endswith('39, ...')


# ---- maps to explain -----------------------------------------------------------


def test_below_a_head_that_makes_maps_is_the_backbones():
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(type='CFCNNet', filters=[4, 6]),
            head=dict(type='CausalFocusHead', num_classes=2, in_channels=6),
        )
    )
    assert locate(model).module == 'head.conv'
    assert locate_below_head(model).module == 'backbone'


@pytest.mark.parametrize('name', TRANSFORMERS)
def test_class_tokens_read_the_map_by_the_last_attention(timm_models, name):
    model = timm_models[name]
    layout = attention_input(model, locate(model))
    assert layout.module == 'blocks.1.norm1'
    seen = layout.to_nchw(seen_by_plain_hook(model, layout.module, images()), IMAGE)
    assert seen.shape == (2, layout.channels, 4, 6)


@pytest.mark.parametrize('name', sorted(set(TIMM) - set(TRANSFORMERS)))
def test_map_without_class_tokens_is_explained_itself(timm_models, name):
    layout = locate(timm_models[name])
    assert attention_input(timm_models[name], layout) is layout


def test_class_tokens_without_a_known_attention_name_the_way_out():
    model = nn.Sequential(nn.Identity())
    with pytest.raises(ValueError, match='name the module .*; there are: 0'):
        attention_input(model, Layout('0', prefix_tokens=1))


# ---- shapes ----------------------------------------------------------------


def test_nhwc_and_tokens_of_one_map_are_the_same_map():
    activation = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    tokens = activation.flatten(2).transpose(1, 2)
    with_prefix = torch.cat([torch.zeros(2, 5, 3), tokens], dim=1)
    for layout, raw in (
        (Layout(''), activation),
        (Layout('', channels_last=True), activation.permute(0, 2, 3, 1)),
        (Layout(''), tokens),
        (Layout('', prefix_tokens=5), with_prefix),
        (Layout(''), (None, [activation])),  # the last of several outputs
    ):  # fmt: skip
        torch.testing.assert_close(layout.to_nchw(raw, IMAGE), activation)


def test_a_known_grid_goes_before_the_images_proportions():
    layout = Layout('', grid=lambda image: (2, 6))
    assert layout.to_nchw(torch.zeros(1, 12, 3), (64, 64)).shape[-2:] == (2, 6)


def test_a_grid_of_another_stage_gives_way_to_the_proportions():
    layout = Layout('', grid=lambda image: (2, 2))
    assert layout.to_nchw(torch.zeros(1, 24, 3), IMAGE).shape[-2:] == (4, 6)


@pytest.mark.parametrize(
    'tokens, image',
    [
        (7, (64, 64)),
        (197, (224, 224)),  # the prefix token was forgotten
        (0, (8, 8)),
        (25, (64, 96)),
    ],
)
def test_token_count_that_fits_no_grid_is_an_error(tokens, image):
    with pytest.raises(ValueError, match=f"'blocks.1' gives {tokens} tokens.*no grid"):
        Layout('blocks.1').to_nchw(torch.zeros(1, tokens, 3), image)


def test_token_count_that_fits_no_grid_names_the_prefix_that_would():
    with pytest.raises(ValueError, match=r'`prefix_tokens` \(5 would leave a grid\)'):
        Layout('').to_nchw(torch.zeros(1, 201, 3), (224, 224))


@pytest.mark.parametrize(
    'raw, what',
    [
        (torch.zeros(2, 5), r'\(2, 5\)'),
        (torch.zeros(2, 5, 1, 1, 1), r'\(2, 5, 1, 1, 1\)'),
        ({}, 'dict'),
        ((), 'tuple'),
    ],
)
def test_what_is_no_map_is_an_error(raw, what):
    with pytest.raises(ValueError, match=f"'fc' gives no spatial map.*got {what}"):
        Layout('fc').to_nchw(raw, IMAGE)


def test_layout_of_a_transformer_pickles():
    model = timm.create_model('vit_tiny_patch16_224', img_size=IMAGE, depth=1)
    layout = pickle.loads(pickle.dumps(locate_below_head(model)))
    assert layout.grid(IMAGE) == (4, 6)


# ---- what of the image a map lies on ---------------------------------------


@pytest.mark.parametrize(
    'patch,grid,image,expected',
    [
        ((14, 14), (11, 15), (160, 210), (154, 210)),  # the rest is cut off
        ((16, 16), (14, 14), (224, 224), (224, 224)),
        ((4, 4), (5, 6), (162, 210), (160, 192)),  # ConvNeXt: halved three times
        ((4, 4), (5, 7), (162, 210), (160, 224)),  # Swin: filled up
        ((4, 4), (40, 52), (162, 210), (160, 208)),  # its first stage
        ((12, 12), (14, 14), (240, 240), (240, 240)),  # resized inside: not known
        (None, (6, 7), (162, 210), (162, 210)),  # convolutions that pad
    ],
)
def test_map_lies_on_the_patches_that_fit(patch, grid, image, expected):
    assert Layout('', patch=patch).covers(grid, image) == expected


def test_pixels_beyond_what_the_map_lies_on_are_not_seen():
    torch.manual_seed(0)
    model = timm.create_model('vit_tiny_patch16_224', img_size=(90, 110)).eval()
    hook = FeatureHook().attach(model)
    inputs = torch.randn(1, 3, 90, 110, requires_grad=True)
    with hook:
        model(inputs)
        captured = hook.captured()
    maps = captured.maps(inputs)
    (covered,) = captured.covers(maps, inputs)
    (gradient,) = torch.autograd.grad(maps[0].square().sum(), inputs)
    seen = gradient.abs().sum((0, 1)).nonzero().amax(0) + 1
    assert covered == tuple(seen.tolist()) == (80, 96)


@pytest.mark.parametrize(
    'first,expected',
    [
        (nn.Conv2d(3, 4, 4, 4), (4, 4)),
        (nn.Conv2d(3, 4, 7, 7, padding=3), None),
        (nn.Conv2d(3, 4, 3, 2, padding=1), None),
        (nn.Conv2d(3, 4, 1), None),
    ],
)
def test_patches_are_what_the_first_convolution_cuts(first, expected):
    assert patch_size(nn.Sequential(first, nn.Conv2d(4, 4, 2, 2))) == expected
