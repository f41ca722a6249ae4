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
        (out,) = backbone(torch.rand(1, 3, size, size))
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
        backbone.timm_model.layer4[0].conv1.weight, source.layer4[0].conv1.weight
    )
    GuidedTIMMBackbone('resnet14t', local_weights=weights)  # not its own: not loaded


def test_unknown_model_names_near_ones():
    with pytest.raises(ValueError, match="no model 'resnet5000'.*resnet50"):
        GuidedTIMMBackbone('resnet5000')


@pytest.mark.parametrize(
    'name',
    [
        'coat_tiny',
        'efficientvit_b0',  # timm refuses
        'pit_ti_224',
        'deit_tiny_distilled_patch16_224',
        'efficientvim_m1',
    ],
)
def test_model_without_a_map_for_pooling_names_the_remedy(name):
    with pytest.raises(ValueError, match='without its classifier.*GuidedTimmClassif'):
        GuidedTIMMBackbone(name)


def test_file_in_place_of_a_flag_names_its_option():
    with pytest.raises(TypeError, match="got 'w.pth'.*`checkpoint_path`"):
        GuidedTIMMBackbone('resnet10t', pretrained='w.pth')


def test_missing_weights_file_names_file_and_option():
    with pytest.raises(
        FileNotFoundError, match='none.pth.*checkpoint_path.*pretrained'
    ):
        GuidedTIMMBackbone('resnet10t', checkpoint_path='none.pth')


def test_weights_of_another_model_are_refused(tmp_path):
    torch.save(timm.create_model('resnet14t').state_dict(), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match='w.pth.*not those of resnet10t'):
        GuidedTIMMBackbone('resnet10t', checkpoint_path=str(tmp_path / 'w.pth'))


@pytest.mark.parametrize(
    'name',
    [
        'resnet10t',
        'mobilenetv3_small_050',
        'convnext_atto',
        'vit_tiny_patch16_224',
        'eva02_tiny_patch14_224',
    ],
)  # which has no classifier by default
@pytest.mark.parametrize('classes', [10, 0])
def test_weights_with_another_number_of_classes_are_the_model_s(
    name, classes, tmp_path
):
    source = timm.create_model(name, num_classes=classes).state_dict()
    torch.save(source, tmp_path / 'w.pth')
    backbone = GuidedTIMMBackbone(name, checkpoint_path=tmp_path / 'w.pth')
    for key, value in backbone.timm_model.state_dict().items():
        torch.testing.assert_close(value, source[key])


def test_weights_of_another_model_are_refused_whatever_its_classes(tmp_path):
    torch.save(
        timm.create_model('resnet14t', num_classes=0).state_dict(), tmp_path / 'w.pth'
    )
    with pytest.raises(ValueError, match="resnet10t: 'layer1.0.conv1.weight' has"):
        GuidedTIMMBackbone('resnet10t', checkpoint_path=str(tmp_path / 'w.pth'))


@pytest.mark.parametrize(
    'change, message',
    [
        (
            lambda w: dict(w, **{'conv1.0.weight': torch.zeros(24, 1, 3, 3)}),
            r"'conv1.0.weight' has shape \(24, 1, 3, 3\) in the file and \(24, 3, 3",
        ),
        (
            lambda w: {f'backbone.timm_model.{key}': w[key] for key in w},
            "no 'conv1.0.weight', and has 'backbone.timm_model.conv1.0.weight'",
        ),
        (lambda w: {}, "the file has no 'conv1.0.weight', and has none"),
    ],
)
def test_what_differs_in_the_weights_is_named(change, message, tmp_path):
    weights = timm.create_model('resnet10t').state_dict()
    torch.save(change(weights), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match=message):
        GuidedTIMMBackbone('resnet10t', checkpoint_path=str(tmp_path / 'w.pth'))


def test_weights_without_counters_of_batch_norm_are_the_model_s(tmp_path):
    weights = timm.create_model('resnet10t').state_dict()
    torch.save(
        {k: v for k, v in weights.items() if 'num_batches' not in k}, tmp_path / 'w.pth'
    )
    GuidedTIMMBackbone('resnet10t', checkpoint_path=str(tmp_path / 'w.pth'))


@pytest.fixture
def folder(tmp_path):
    """A folder of timm with a model of 10 classes for one size of image."""
    model = timm.create_model('vit_tiny_patch16_224', num_classes=10, depth=2)
    timm.models.save_for_hf(
        model, tmp_path / 'saved', model_args=dict(num_classes=10, depth=2)
    )
    return tmp_path / 'saved', model


def test_a_local_folder_is_a_model(folder):
    path, model = folder
    backbone = GuidedTIMMBackbone(f'local-dir:{path}', pretrained=True)
    torch.testing.assert_close(
        backbone.timm_model.blocks[1].mlp.fc1.weight, model.blocks[1].mlp.fc1.weight
    )
    small = GuidedTIMMBackbone(f'local-dir:{path}', img_size=64)
    assert small(torch.rand(1, 3, 64, 64))[0].shape == (1, 192, 4, 4)


def test_a_local_folder_runs_no_code(folder):
    path, _ = folder
    for file in path.glob('*.*'):
        if file.suffix != '.json':
            file.unlink()
    torch.save(dict(weight=print), path / 'pytorch_model.bin')
    with pytest.raises(ValueError, match='is refused.*print') as error:
        GuidedTIMMBackbone(f'local-dir:{path}', pretrained=True)
    # the file that the printed command takes
    assert f'clean_checkpoint.py {path}/pytorch_model.bin OUT' in str(error.value)


@pytest.mark.parametrize(
    'text, what',
    [
        ('{bad', 'JSONDecodeError'),
        ('[]', 'TypeError'),
        ('{}', 'KeyError'),
        ('{"architecture": "none"}', "has no model 'none'"),
    ],
)
def test_a_broken_config_of_a_local_folder_is_named(tmp_path, text, what):
    (tmp_path / 'config.json').write_text(text)
    with pytest.raises(ValueError, match=f'{tmp_path}/config.json.*{what}'):
        GuidedTIMMBackbone(f'local-dir:{tmp_path}')


@pytest.mark.parametrize('pretrained', [True, False])
def test_a_folder_without_a_model_is_named(pretrained, tmp_path):
    with pytest.raises(FileNotFoundError, match='none. of model_name.*config.json'):
        GuidedTIMMBackbone(f'local-dir:{tmp_path}/none', pretrained=pretrained)


@pytest.mark.parametrize('pretrained', [True, False])
def test_a_model_of_the_hub_is_asked_for(pretrained, monkeypatch):

    def unreachable(*args, **kwargs):
        raise ConnectionError('no route to host')

    monkeypatch.setattr('timm.models._factory.load_model_config_from_hf', unreachable)
    with pytest.raises(RuntimeError, match="'hf-hub:a/b' could not be.*local-dir:"):
        GuidedTIMMBackbone('hf-hub:a/b', pretrained=pretrained)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(in_chans=1), '`in_chans` is `in_channels` here.*write in_channels=1'),
        (
            dict(local_weights='w.pth'),
            "`local_weights` must be.*'w.pth'.*checkpoint_path",
        ),
        (
            dict(checkpoint_path={'resnet10t': 'w'}),
            '`checkpoint_path`.*`local_weights`',
        ),
    ],
)
def test_an_option_of_another_name_or_type_names_the_right_one(options, message):
    with pytest.raises(TypeError, match=message):
        GuidedTIMMBackbone('resnet10t', **options)


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
        backbone.timm_model.layer4[0].conv1.weight, source.layer4[0].conv1.weight
    )


def test_weights_out_of_reach_name_both_remedies(monkeypatch):

    def unreachable(*args, **kwargs):
        raise ConnectionError('no route to host')

    monkeypatch.setattr('timm.create_model', unreachable)
    with pytest.raises(
        RuntimeError, match='could not be fetched.*checkpoint_path.*pretrained=False'
    ):
        GuidedTIMMBackbone('resnet10t', pretrained=True)
