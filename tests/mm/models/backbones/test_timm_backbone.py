"""Whatever timm model: one NCHW map, the stock keys, clear errors about weights."""
import pytest
import timm
import torch
from mmpretrain.registry import MODELS

from cfcn_plugin.mm.models import GuidedTIMMBackbone

# name, image, expected map at that image; CNN, tokens, channels last
MODELS_AND_MAPS = [
    ('resnet10t', 64, (512, 2, 2)),
    ('tf_efficientnet_lite0', 64, (1280, 2, 2)),
    ('mobilenetv3_small_050', 64, (1024, 2, 2)),
    ('convnext_atto', 64, (320, 2, 2)),
    ('vit_tiny_patch16_224', 64, (192, 4, 4)),
    ('swin_tiny_patch4_window7_224', 64, (768, 2, 2)),
    ('volo_d1_224', 64, (384, 4, 4)),  # a class token that timm does not count
]


@pytest.mark.parametrize('name,size,shape', MODELS_AND_MAPS)
def test_output_is_one_nchw_map(name, size, shape):
    backbone = GuidedTIMMBackbone(name, img_size=size)
    backbone.eval()  # the host's returns None
    with torch.no_grad():
        out, = backbone(torch.rand(1, 3, size, size))
    assert out.shape == (1, *shape)
    assert backbone.out_channels == shape[0]


def test_state_dict_keys_are_the_stock_backbone_s():
    name = 'mobilenetv3_small_050'
    stock = MODELS.build(dict(type='TIMMBackbone', model_name=name))
    assert list(GuidedTIMMBackbone(name).state_dict()) == list(stock.state_dict())


def test_local_weights_are_loaded_by_model_name(tmp_path):
    source = timm.create_model('resnet10t')
    torch.save(source.state_dict(), tmp_path / 'w.pth')
    weights = {'resnet10t': str(tmp_path / 'w.pth')}
    backbone = GuidedTIMMBackbone('resnet10t', pretrained=True, local_weights=weights)
    torch.testing.assert_close(
        backbone.timm_model.layer4[0].conv1.weight, source.layer4[0].conv1.weight)
    GuidedTIMMBackbone('resnet14t', local_weights=weights)  # not its own: not loaded


def test_unknown_model_names_near_ones():
    with pytest.raises(ValueError, match="no model 'resnet5000'.*resnet50"):
        GuidedTIMMBackbone('resnet5000')


@pytest.mark.parametrize('name', [
    'coat_tiny', 'efficientvit_b0',  # timm refuses
    'pit_ti_224', 'deit_tiny_distilled_patch16_224', 'efficientvim_m1',
])
def test_model_without_a_map_for_pooling_names_the_remedy(name):
    with pytest.raises(ValueError, match="without its classifier.*GuidedTimmClassif"):
        GuidedTIMMBackbone(name)


def test_file_in_place_of_a_flag_names_its_option():
    with pytest.raises(TypeError, match="got 'w.pth'.*`checkpoint_path`"):
        GuidedTIMMBackbone('resnet10t', pretrained='w.pth')


def test_missing_weights_file_names_file_and_option():
    with pytest.raises(
            FileNotFoundError, match='none.pth.*checkpoint_path.*pretrained'):
        GuidedTIMMBackbone('resnet10t', checkpoint_path='none.pth')


def test_weights_of_another_model_are_refused(tmp_path):
    torch.save(timm.create_model('resnet14t').state_dict(), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match='w.pth.*not those of resnet10t'):
        GuidedTIMMBackbone('resnet10t', checkpoint_path=str(tmp_path / 'w.pth'))


def test_damaged_weights_are_named(tmp_path):
    (tmp_path / 'w.pth').write_bytes(b'PK\3\4 and no more')
    with pytest.raises(ValueError, match="w.pth' cannot be opened.*whole"):
        GuidedTIMMBackbone('resnet10t', checkpoint_path=str(tmp_path / 'w.pth'))


def test_init_weights_leaves_loaded_weights_alone(tmp_path):
    source = timm.create_model('resnet10t')
    torch.save(source.state_dict(), tmp_path / 'w.pth')
    backbone = GuidedTIMMBackbone('resnet10t', checkpoint_path=str(tmp_path / 'w.pth'))
    backbone.init_weights()  # timm's own would draw new ones
    torch.testing.assert_close(
        backbone.timm_model.layer4[0].conv1.weight, source.layer4[0].conv1.weight)


def test_weights_out_of_reach_name_both_remedies(monkeypatch):

    def unreachable(*args, **kwargs):
        raise ConnectionError('no route to host')

    monkeypatch.setattr('timm.create_model', unreachable)
    with pytest.raises(
            RuntimeError,
            match='could not be fetched.*checkpoint_path.*pretrained=False'):
        GuidedTIMMBackbone('resnet10t', pretrained=True)
