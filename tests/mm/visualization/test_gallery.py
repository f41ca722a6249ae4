"""Images and models to look at."""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import BaseDataElement

from cfcn_plugin.mm.visualization.gallery import (
    Shown,
    class_names,
    columns_together,
    grad_cam_look,
    image_file,
    images_of_test_split,
    load_model,
    look_at,
    shown,
    some_of,
)
from cfcn_plugin.visualization.conditions import conditions
from cfcn_plugin.visualization.heatmaps import Look

images_of_test_split.__test__ = False  # a function whose name begins like a test's
SETTINGS = {
    'model.backbone.pretrained': True,
    'model.backbone.local_weights': None,
}


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
        from mmpretrain.registry import MODELS
        init_default_scope('mmpretrain')
        model = MODELS.build({
            **cfg.model, 'backbone': {**cfg.model.backbone, 'pretrained': False}})
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
    one = shown(sample((4, 6)))
    assert one.pixels.shape == (4, 6, 3) and (one.pixels[..., 2] == 9).all()
    assert one.mask.shape == (4, 6) and one.labels == {1}
    assert shown(sample((4, 6), mask=False)).mask is None


def test_only_images_as_packed_can_be_shown():
    with pytest.raises(TypeError, match='got torch.float32'):
        shown({**sample((4, 4)), 'inputs': torch.zeros(3, 4, 4)})


def test_some_images_have_one_size_and_are_always_the_same():
    dataset = [sample((4, 4 + 2 * (i % 2)), label=i) for i in range(12)]
    first, again = some_of(dataset, 3), some_of(dataset, 3)
    assert len({one.image.shape for one in first}) == 1
    assert [a.labels for a in first] == [b.labels for b in again]
    assert len({a.labels for a in first}) == 3


def test_images_of_the_test_split_have_masks_and_labels(config):
    some, classes = images_of_test_split(config(), 3)
    assert classes == ('landbird', 'waterbird') and len(some) == 3
    assert all(one.mask.any() and one.image.shape == (3, 112, 112) for one in some)


def test_image_file_has_the_sources_mask_below_its_root_only(
        config, waterbirds_root, tmp_path):
    file = waterbirds_root / 'waterbirds100' / 'images' / '000.jpg'
    assert image_file(config(), file).mask.any()
    other = tmp_path / 'mine.jpg'
    other.write_bytes(file.read_bytes())
    one = image_file(config(), other)
    assert one.mask is None and not one.labels and one.name == 'mine.jpg'
    assert one.image.shape == (3, 112, 112)
    with pytest.raises(FileNotFoundError, match='none.jpg'):
        image_file(config(), tmp_path / 'none.jpg')


@pytest.mark.parametrize('name', [
    'resnet10t', 'vit_tiny_patch16_224',
    pytest.param('swin_tiny_patch4_window7_224', marks=pytest.mark.slow)])
def test_any_backbone_is_loaded_without_its_pretrained_weights_and_looked_at(
        config, checkpoint, name):
    cfg = config(name)
    if name.startswith('vit'):
        cfg.model.backbone.img_size = 112
    model = load_model(cfg, checkpoint(cfg))
    some, _ = images_of_test_split(cfg, 2)
    seen = look_at(model, some)
    assert seen.saliency.shape == (2, 112, 112) and seen.saliency.max() == pytest.approx(1)
    assert cfg.model.backbone.pretrained  # the caller's config is as it was
    assert class_names(model) == ('class 0', 'class 1')
    assert class_names(model, dict(classes=['a', 'b'])) == ('a', 'b')
    pytest.importorskip('cfcn_plugin.features.explanations')
    pytest.importorskip('pytorch_grad_cam')
    explained = grad_cam_look(model, some)
    assert explained.saliency.shape == (2, 112, 112)
    assert (explained.predicted == seen.predicted).all()


def test_stock_model_is_refused_with_the_remedy(config, checkpoint):
    cfg = config()
    file = checkpoint(cfg)
    cfg.model = dict(type='ImageClassifier', backbone=cfg.model.backbone,
                     neck=cfg.model.neck,
                     head={**cfg.model.head, 'in_channels': 512})
    with pytest.raises(TypeError, match='ImageClassifier.*guidance=None'):
        load_model(cfg, file)


def test_columns_of_single_images_become_columns_of_all():
    looks = [dict(map=Look(np.full((1, 2, size), size), np.array([size])))
             for size in (3, 4)]
    columns = columns_together(looks)
    assert [saliency.shape for saliency in columns['map'].saliency] == [(2, 3), (2, 4)]
    assert list(columns['map'].predicted) == [3, 4]


# ---- other conditions ----------------------------------------------------------


def test_object_stays_on_other_backgrounds_and_light_changes_all():
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24] = 1
    grey = torch.ones(3, 32, 32, dtype=torch.uint8)
    one, other = (Shown(value * grey, mask, frozenset(), name)
                  for value, name in ((100, 'one'), (200, 'other')))
    made = conditions(one, [other])
    assert list(made) == ['as it is', 'brightness × 0.5', 'brightness × 1.5',
                          'background of other', 'object removed']
    assert (made['brightness × 0.5'].pixels == 50).all()
    assert (made['brightness × 1.5'].pixels == 150).all()
    swapped = made['background of other'].pixels
    assert (swapped[16, 16] == 100).all() and (swapped[0, 0] == 200).all()
    assert made['object removed'].mask is None
    assert all(one.image.dtype == torch.uint8 for one in made.values())
