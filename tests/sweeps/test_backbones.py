"""A sample of the sweep; the whole sweep is in docs/backbones.md."""

import pytest
import torch
from backbones import check_timm
from classifiers import check_torchvision
from references import corners
from torch import nn
from verdicts import table

# Small models, one or more of each way in which a map lies
SAMPLE = (
    # picked up at a pool
    'resnet/test_resnet',
    'efficientnet/test_efficientnet',
    'mobilenetv3/mobilenetv3_small_050',
    'ghostnet/ghostnet_050',
    'hardcorenas/hardcorenas_b',
    'lcnetv2/lcnetv2_small',
    'repghost/repghostnet_050',
    'starnet/starnet_s050',
    'fasternet/fasternet_t0',
    'visformer/visformer_tiny',
    'shvit/shvit_s1',
    'efficientvit_msra/efficientvit_m0',
    'dla/dla46x_c',
    'densenet/densenet121',
    'senet/legacy_seresnet18',
    'sknet/skresnet18',
    'resnest/resnest14d',
    # at a head with a pool inside
    'byobnet/test_byobnet',
    'byoanet/halonet_h1',
    'mobilevit/mobilevit_xxs',
    'convnext/test_convnext',
    'nfnet/test_nfnet',
    'regnet/regnetx_002',
    'rexnet/rexnet_100',
    'edgenext/edgenext_xx_small',
    'cspnext/cspnext_tiny',
    'cspnet/cs3darknet_focus_s',
    'fastvit/fastvit_t8',
    'vovnet/ese_vovnet19b_slim_dw',
    'inception_next/inception_next_atto',
    'metaformer/poolformerv2_s12',
    'hgnet/hgnetv2_b0',
    'maxxvit/test_coatnet',
    'resnetv2/resnetv2_18',
    # where the head widens first
    'efficientvit_mit/efficientvit_b0',
    'cpubone/cpubone_nano',
    # channels last
    'lowformer/lowformer_b0',
    'mambaout/test_mambaout',
    'mambaout/mambaout_femto',
    'swin_transformer/swin_tiny_patch4_window7_224',
    'sequencer/sequencer2d_s',
    # a head that pools by attention, tokens that were rolled up
    'byobnet/resnet50_clip',
    'hiera/hiera_tiny_224',
    # tokens with and without others before them
    'vision_transformer/test_vit',
    'deit/deit_tiny_patch16_224',
    'deit/deit_tiny_distilled_patch16_224',
    'eva/vit_tiny_patch16_dinov3_qkvb',
    'vision_transformer_relpos/test_vit_relpos',
    'convit/convit_tiny',
    'cait/cait_xxs24_224',
    'xcit/xcit_nano_12_p8_224',
    'mlp_mixer/gmlp_ti16_224',
    'efficientformer/efficientformer_l1',
    'twins/twins_svt_small',
    'mvitv2/mvitv2_small_cls',
    'levit/levit_128s',
    'volo/volo_d1_224',
    'coat/coat_tiny',
    'crossvit/crossvit_tiny_240',
    'pit/pit_ti_224',
    'efficientvim/efficientvim_m1',
    # the last stage, unpooled by any module
    'repvit/repvit_m1',
    'pvt_v2/pvt_v2_b0',
    'iformer/iformer_t',
    'swiftformer/swiftformer_xs',
    'efficientformer_v2/efficientformerv2_s0',
)
# half a second of work and more; of each way above there are others
LARGER = (
    'visformer/visformer_tiny',
    'densenet/densenet121',
    'senet/legacy_seresnet18',
    'sknet/skresnet18',
    'resnest/resnest14d',
    'byoanet/halonet_h1',
    'metaformer/poolformerv2_s12',
    'resnetv2/resnetv2_18',
    'swin_transformer/swin_tiny_patch4_window7_224',
    'sequencer/sequencer2d_s',
    'byobnet/resnet50_clip',
    'cait/cait_xxs24_224',
    'xcit/xcit_nano_12_p8_224',
    'efficientformer/efficientformer_l1',
    'twins/twins_svt_small',
    'mvitv2/mvitv2_small_cls',
    'volo/volo_d1_224',
    'coat/coat_tiny',
    'crossvit/crossvit_tiny_240',
    'repvit/repvit_m1',
    'pvt_v2/pvt_v2_b0',
    'efficientformer_v2/efficientformerv2_s0',
    'fastvit/fastvit_t8',
    'mambaout/mambaout_femto',
    'mlp_mixer/gmlp_ti16_224',
    'convit/convit_tiny',
    'levit/levit_128s',
    'hgnet/hgnetv2_b0',
    'swiftformer/swiftformer_xs',
    'lowformer/lowformer_b0',
    'deit/deit_tiny_patch16_224',
    'ghostnet/ghostnet_050',
    'cspnext/cspnext_tiny',
    'fasternet/fasternet_t0',
    'mobilevit/mobilevit_xxs',
    'hardcorenas/hardcorenas_b',
    'rexnet/rexnet_100',
    'lcnetv2/lcnetv2_small',
    'dla/dla46x_c',
)
TORCHVISION = (
    'efficientnet/efficientnet_b0',
    'mnasnet/mnasnet0_5',
    'mobilenetv2/mobilenet_v2',
    'mobilenetv3/mobilenet_v3_small',
    'regnet/regnet_x_400mf',
    'resnet/resnet18',
    'shufflenetv2/shufflenet_v2_x0_5',
    'squeezenet/squeezenet1_1',
)
TORCHVISION_LARGER = (
    'densenet/densenet121',
    'googlenet/googlenet',
    'vgg/vgg11',
    'alexnet/alexnet',
    'convnext/convnext_tiny',
    'maxvit/maxvit_t',
    'swin_transformer/swin_t',
    'swin_transformer/swin_v2_t',
    'vision_transformer/vit_b_32',
)


def each(*names):
    """Parametrise by models; the larger ones are slow."""
    marks = dict.fromkeys((*LARGER, *TORCHVISION_LARGER), pytest.mark.slow)
    return pytest.mark.parametrize(
        'name', [pytest.param(name, marks=marks.get(name, ())) for name in names]
    )


def test_the_sample_has_at_least_40_families():
    assert len({name.split('/')[0] for name in SAMPLE}) >= 40


@each(*SAMPLE)
def test_the_hooked_map_is_the_reference(name):
    result = check_timm(name)

    assert result['verdict'] == 'ok', result['reason']


@each(*TORCHVISION, *TORCHVISION_LARGER)
def test_the_map_of_torchvision_is_what_its_pooling_receives(name):
    result = check_torchvision(name)

    assert (result['verdict'], result['reference']) == ('ok', 'equal')
    assert result['corners'] == 4


def test_corners_lean_for_a_stack_of_convolutions():
    inputs = torch.randn(1, 3, 16, 24, requires_grad=True)

    assert corners(nn.Conv2d(3, 4, 4, 4)(inputs), inputs) == 4


def test_no_corner_leans_where_the_map_is_flipped():
    inputs = torch.randn(1, 3, 16, 24, requires_grad=True)

    assert corners(nn.Conv2d(3, 4, 4, 4)(inputs).flip(2, 3), inputs) == 0


def test_corners_do_not_lean_where_the_grid_is_transposed():
    inputs = torch.randn(1, 3, 16, 24, requires_grad=True)

    assert corners(nn.Conv2d(3, 4, 4, 4)(inputs).transpose(2, 3), inputs) < 4


def test_a_model_that_failed_has_its_reason_in_the_table():
    text = table({'vit/some_vit': dict(verdict='error', reason='died')}, 'timm 1')

    assert '0 of 1 models' in text
    assert '| vit | some_vit |' in text.splitlines()[-1]
    assert 'died' in text.splitlines()[-1]
