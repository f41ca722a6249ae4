"""Images of data sets and files, and saliency maps of models."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import BaseDataElement
from mmpretrain.registry import MODELS

from cfcn_plugin.mm.visualization.gallery import (
    class_names,
    image_panel,
    load_image_file,
    load_model,
    load_test_images,
    predict_grad_cam,
    predict_saliency,
    select_images,
)
from cfcn_plugin.visualization.image_panel import ImagePanel

IMAGE = (24, 32)
SETTINGS = {'model.backbone.pretrained': True, 'model.backbone.local_weights': None}


@pytest.fixture
def config(waterbirds_root, monkeypatch):
    """A function that gives the Waterbirds config with another backbone."""
    monkeypatch.setenv('CFCN_DATA', str(waterbirds_root))

    def make(name='resnet10t'):
        cfg = Config.fromfile('configs/cfcn_efficientnet-lite0_waterbirds.py')
        cfg.merge_from_dict({**SETTINGS, 'model.backbone.model_name': name})
        return cfg

    return make


@pytest.fixture
def checkpoint(tmp_path):

    def make(cfg):
        from mmengine.registry import init_default_scope

        init_default_scope('mmpretrain')
        model = MODELS.build(
            {**cfg.model, 'backbone': {**cfg.model.backbone, 'pretrained': False}}
        )
        torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'm.pth')
        return tmp_path / 'm.pth'

    return make


def sample(size, label=1, mask=True):
    data = BaseDataElement(gt_label=torch.tensor([label]))
    if mask:
        data.activation_mask = np.ones((2, *size), np.uint8)
    inputs = torch.zeros(3, *size, dtype=torch.uint8)
    inputs[0] = 9  # blue, as mmcv reads
    return dict(inputs=inputs, data_samples=data)


def test_image_is_rgb_and_masks_of_classes_are_one():
    one = image_panel(sample((4, 6)))
    assert one.pixels.shape == (4, 6, 3) and (one.pixels[..., 2] == 9).all()
    assert one.mask.shape == (4, 6) and one.labels == {1}
    assert image_panel(sample((4, 6), mask=False)).mask is None


@pytest.mark.parametrize(
    'channels, shown',
    [(1, [[1, 1, 1]]), (2, [[1, 1, 1]]), (3, [[3, 2, 1]]), (4, [[3, 2, 1]])],
)
def test_any_number_of_channels_is_shown(channels, shown):
    inputs = torch.arange(1, channels + 1, dtype=torch.uint8).reshape(channels, 1, 1)
    one = image_panel({**sample((1, 1)), 'inputs': inputs})
    assert one.pixels.dtype == np.uint8 and one.pixels[0].tolist() == shown


@pytest.mark.parametrize('dtype', [torch.float32, torch.uint16, torch.int32])
def test_values_of_other_types_are_scaled_to_the_screen(dtype):
    inputs = torch.tensor([[[0, 600, 300]]]).to(dtype)
    one = image_panel({**sample((1, 3)), 'inputs': inputs})
    assert one.pixels[0, :, 0].tolist() == [0, 255, 128]
    assert one.image.dtype == dtype  # what the model sees


def test_only_images_as_packed_can_be_shown():
    for inputs, found in (
        (torch.zeros(2, 3, 4, 4), r'Tensor \(2, 3, 4, 4\)'),
        ([torch.zeros(3, 4, 4)] * 2, 'list'),
    ):
        with pytest.raises(TypeError, match=f'got {found}'):
            image_panel({**sample((4, 4)), 'inputs': inputs})


def test_some_images_have_one_size_and_are_always_the_same():
    dataset = [sample((4, 4 + 2 * (i % 2)), label=i) for i in range(12)]
    first, again = select_images(dataset, 3), select_images(dataset, 3)
    assert len({one.image.shape for one in first}) == 1
    assert [a.labels for a in first] == [b.labels for b in again]
    assert len({a.labels for a in first}) == 3


def test_images_of_the_test_split_have_masks_and_labels(config):
    some, classes = load_test_images(config(), 3)
    assert classes == ('landbird', 'waterbird') and len(some) == 3
    assert all(one.mask.any() and one.image.shape == (3, 112, 112) for one in some)


def test_image_file_has_the_sources_mask_below_its_root_only(
    config, waterbirds_root, tmp_path
):
    file = waterbirds_root / 'waterbirds100' / 'images' / '000.jpg'
    assert load_image_file(config(), file).mask.any()
    other = tmp_path / 'mine.jpg'
    other.write_bytes(file.read_bytes())
    one = load_image_file(config(), other)
    assert one.mask is None and not one.labels and one.name == 'mine.jpg'
    assert one.image.shape == (3, 112, 112)
    with pytest.raises(FileNotFoundError, match='none.jpg'):
        load_image_file(config(), tmp_path / 'none.jpg')


@pytest.mark.parametrize(
    'name',
    [
        'resnet10t',
        'vit_tiny_patch16_224',
        pytest.param('swin_tiny_patch4_window7_224', marks=pytest.mark.slow),
    ],
)
def test_any_backbone_is_loaded_without_its_pretrained_weights_and_has_maps(
    config, checkpoint, name
):
    cfg = config(name)
    if name.startswith('vit'):
        cfg.model.backbone.img_size = 112
    model = load_model(cfg, checkpoint(cfg))
    some, _ = load_test_images(cfg, 2)
    maps = predict_saliency(model, some)
    assert maps.saliency.shape == (2, 112, 112)
    assert maps.saliency.max() == pytest.approx(1)
    assert cfg.model.backbone.pretrained  # the caller's config is as it was
    assert class_names(model) == ('class 0', 'class 1')
    assert class_names(model, dict(classes=['a', 'b'])) == ('a', 'b')
    explained = predict_grad_cam(model, some)
    assert explained.saliency.shape == (2, 112, 112)
    assert (explained.predicted == maps.predicted).all()


def test_stock_model_is_refused_with_the_remedy(config, checkpoint):
    cfg = config()
    file = checkpoint(cfg)
    cfg.model = dict(
        type='ImageClassifier',
        backbone=cfg.model.backbone,
        neck=cfg.model.neck,
        head={**cfg.model.head, 'in_channels': 512},
    )
    with pytest.raises(TypeError, match='ImageClassifier.*guidance=None'):
        load_model(cfg, file)


# ---- the trained map -----------------------------------------------------------


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='GuidedClassifier',
            data_preprocessor=dict(mean=[127] * 3, std=[64] * 3, to_rgb=True),
            backbone=dict(type='CFCNNet', filters=[6, 8], strides=2),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=3),
        )
    )


@pytest.fixture(scope='module')
def class_maps():
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='GuidedClassifier',
            backbone=dict(type='CFCNNet', filters=[6], strides=2),
            head=dict(type='CausalFocusHead', num_classes=3),
        )
    )


def images(batch=2):
    generator = torch.Generator().manual_seed(0)
    return [
        ImagePanel(pixels, None, frozenset(), 'a')
        for pixels in torch.randint(
            0, 256, (batch, 3, *IMAGE), dtype=torch.uint8, generator=generator
        )
    ]


@pytest.mark.parametrize('kind', ['model', 'class_maps'])
def test_saliency_is_between_0_and_1_at_the_images_size(request, kind):
    maps = predict_saliency(request.getfixturevalue(kind), images(3))
    assert maps.saliency.shape == (3, *IMAGE)
    assert maps.saliency.min() >= 0
    np.testing.assert_allclose(maps.saliency.max((1, 2)), 1, rtol=1e-6)
    assert maps.predicted.shape == (3,)


@pytest.mark.parametrize('training', [True, False])
def test_prediction_puts_the_mode_back_and_changes_no_statistics(model, training):
    model.train(training)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    predict_saliency(model, images())
    assert model.training is training
    assert all(m.training is training for m in model.backbone.modules())
    torch.testing.assert_close(dict(model.state_dict()), before)


def test_prediction_puts_the_mode_back_after_an_exception(model):
    model.train()
    with pytest.raises(RuntimeError):
        predict_saliency(
            model,
            [
                ImagePanel(
                    torch.zeros(3, 0, 32, dtype=torch.uint8), None, frozenset(), 'a'
                )
            ],
        )
    assert model.training
    assert model.feature_hook.captures[0].raw is None


def test_classes_are_those_of_predict(model):
    model.eval()
    maps = predict_saliency(model, images(8))
    data = model.data_preprocessor(
        dict(inputs=[panel.image.flip(0) for panel in images(8)])
    )
    expected = [int(s.pred_label) for s in model.predict(data['inputs'])]
    assert maps.predicted.tolist() == expected


def test_the_map_is_the_predicted_classs_where_maps_are_classes(class_maps):
    class_maps.eval()
    with torch.no_grad():
        for wanted in range(3):
            class_maps.head.conv.bias.fill_(-1e6)
            class_maps.head.conv.bias[wanted] = 1e6
            maps = predict_saliency(class_maps, images())
            assert maps.predicted.tolist() == [wanted] * 2
            assert maps.saliency.max() == pytest.approx(1)  # the others' maps are dead


def test_dead_map_is_dark(class_maps):
    with torch.no_grad():
        class_maps.head.conv.bias.fill_(-1e6)
    assert (predict_saliency(class_maps, images()).saliency == 0).all()


def test_class_maps_are_of_the_same_pass_and_have_one_scale(class_maps):
    with torch.no_grad():  # alive, whatever other tests have done to it
        class_maps.head.conv.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    maps = predict_saliency(class_maps, images())
    assert maps.class_maps.shape == (2, 3, *IMAGE)
    np.testing.assert_allclose(maps.class_maps.max((1, 2, 3)), 1, rtol=1e-6)


def test_other_heads_have_no_class_maps(model):
    maps = predict_saliency(model, images())
    assert maps.class_maps is None
