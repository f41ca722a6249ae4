"""What a recipe sets, and what the config it is given must have."""

import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS, TRANSFORMS

from cfcn_plugin import guide_config, unguide_config

BOXES = dict(type='BoxMasks', data_root='data', ann_file='boxes.csv')
MASKS = dict(type='PNGMasks', data_root='data', masks='masks')


@pytest.fixture
def pretrained(stock):
    cfg = stock()
    cfg.load_from = 'weights.pth'
    return cfg


def pipeline(cfg, split='train'):
    return cfg[f'{split}_dataloader'].dataset.pipeline


def built(cfg):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(cfg.model)


def test_pretrained_sets_each_piece(pretrained):
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    assert cfg.model.guidance is None
    assert cfg.model.train_cfg.augments == dict(
        type='BackgroundSwap', prob=1.0, border=1.5, hole='box'
    )
    assert cfg.model.fine_tuning == dict(frozen=0.7, norm_eval=True, zero_head=True)
    sampler = cfg.train_dataloader.sampler
    assert (sampler.type, sampler.fraction, sampler.class_balanced) == (
        'GuidedSampler',
        1.0,
        True,
    )
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys == dict(
        backbone=dict(lr_mult=0.1)
    )


def test_boxes_of_the_training_split_are_refined_and_outlines_stay(pretrained):
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    (load,) = (step for step in pipeline(cfg) if step['type'] == 'LoadActivationMask')
    assert load.refine == dict(
        type='GrabCut', mark='around', cache='work_dirs/outlines'
    )
    for split, masks in (('test', BOXES), ('train', MASKS)):
        cfg = guide_config(pretrained, masks, recipe='pretrained')
        (load,) = (
            step
            for step in pipeline(cfg, split)
            if step['type'] == 'LoadActivationMask'
        )
        assert 'refine' not in load


@pytest.mark.parametrize(
    'source, mark',
    [
        (dict(type='PointMasks'), 'inside'),
        (dict(type='VOCMasks', use='bbox'), 'around'),
    ],
)
def test_points_are_inside_of_their_object_and_boxes_of_any_source_around(
    pretrained, source, mark
):
    cfg = guide_config(pretrained, dict(source, data_root='d'), recipe='pretrained')
    assert pipeline(cfg)[1].refine.mark == mark


def test_a_refine_of_ones_own_stays(pretrained):
    masks = dict(type='LoadActivationMask', source=BOXES, refine=None)
    cfg = guide_config(pretrained, masks, recipe='pretrained')
    assert pipeline(cfg)[1].refine is None


def test_test_images_are_a_third_larger_in_multiples_of_32(pretrained):
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    sizes = [
        step.transform.get('scale', step.transform.get('crop_size'))
        for step in pipeline(cfg, 'test')
        if 'transform' in step
    ]
    assert sizes == [329, 288]  # of 256 and 224
    assert pipeline(cfg)[2].transform.scale == 224


@pytest.mark.parametrize(
    'backbone',
    [
        dict(type='GuidedTIMMBackbone', model_name='vit_tiny_patch16_224'),
        dict(type='VisionTransformer', arch='deit-t'),
        dict(type='VGG', depth=11, num_classes=1000),
        dict(type='EfficientFormer', arch='l1'),
    ],
)
def test_images_of_a_network_for_one_size_stay(pretrained, backbone):
    pretrained.model.backbone = backbone
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    assert pipeline(cfg, 'test')[3].transform.crop_size == 224


def test_the_model_is_built_with_a_frozen_stem_and_a_head_of_zeros(pretrained):
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    model = built(cfg)
    model.init_weights()
    model.train()
    assert not model.backbone.conv1.weight.requires_grad
    assert model.backbone.layer4[1].conv2.weight.requires_grad
    assert not model.backbone.bn1.training
    assert model.head.training
    assert model.head.fc.weight.abs().sum() == 0
    assert not model(torch.randn(1, 3, 64, 64)).any()


def test_classes_are_not_balanced_where_a_head_has_several_labels(stock):
    cfg = stock('csra/resnet101-csra_1xb16_voc07-448px')
    cfg = guide_config(cfg, BOXES, recipe='pretrained')
    assert not cfg.train_dataloader.sampler.class_balanced


def test_a_guidance_comes_on_top_of_the_recipe(pretrained):
    loss = dict(type='CausalFocusLoss', loss_weight=0.1)
    cfg = guide_config(pretrained, BOXES, loss, recipe='pretrained')
    assert built(cfg).guidance.loss_weight == 0.1
    assert cfg.model.train_cfg.augments.type == 'BackgroundSwap'


def test_a_recipe_survives_a_dump_and_leaves_no_trace_in_the_stock_config(
    pretrained, tmp_path
):
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    cfg.dump(tmp_path / 'guided.py')
    stock = unguide_config(Config.fromfile(tmp_path / 'guided.py'))
    text = stock.pretty_text
    for word in ('cfcn_plugin', 'Swap', 'Guided', 'fine_tuning', 'class_balanced'):
        assert word not in text
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        MODELS.build(stock.model)


def test_whole_timm_models_train_their_classifier_at_the_full_rate(pretrained):
    pretrained.model = dict(
        type='TimmClassifier',
        model_name='resnet18',
        pretrained=False,
        num_classes=3,
        checkpoint_path='weights.pth',
    )
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys == {
        'model.': dict(lr_mult=0.1),
        'model.fc': dict(lr_mult=1.0),
    }


def test_parameters_with_a_key_of_their_own_learn_at_the_backbones_rate(pretrained):
    pretrained.optim_wrapper = dict(
        optimizer=dict(type='AdamW', lr=1.0, weight_decay=1.0),
        paramwise_cfg=dict(
            custom_keys={
                'layer4.1.bn2': dict(decay_mult=0),
                'layer4.1.bn1': dict(lr_mult=0.5),
                'head.fc': dict(decay_mult=0),
            }
        ),
    )
    cfg = guide_config(pretrained, BOXES, recipe='pretrained')
    model = built(cfg)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).param_groups
    lr = {group['params'][0]: group['lr'] for group in groups}
    rates = {name: lr.get(one) for name, one in model.named_parameters()}
    assert rates['backbone.layer4.1.conv1.weight'] == 0.1
    assert rates['backbone.layer4.1.bn2.weight'] == 0.1
    assert rates['backbone.layer4.1.bn1.weight'] == 0.5
    assert rates['head.fc.weight'] == 1


def test_the_crop_of_efficientnet_is_enlarged_too(stock):
    cfg = stock('efficientnet/efficientnet-b0_8xb32_in1k', load_from='weights.pth')
    cfg = guide_config(cfg, BOXES, recipe='pretrained')
    assert pipeline(cfg, 'test')[2].transform.crop_size == 288


def test_small_is_cfcn_c(stock):
    cfg = guide_config(stock(), MASKS, recipe='small')
    assert cfg.model.guidance == dict(type='CausalFocusLoss', channels='target')
    model = built(cfg)
    assert model.maps_are_classes and model.head.logit_scale == 10
    assert model(torch.randn(1, 3, 64, 64)).shape == (1, stock().model.head.num_classes)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for step in pipeline(cfg):
            TRANSFORMS.build(step)


def test_small_has_sigmoids_for_several_labels(stock):
    cfg = stock()
    cfg.model.head = dict(type='MultiLabelLinearClsHead', num_classes=3)
    cfg = guide_config(cfg, MASKS, recipe='small')
    assert cfg.model.head.multi_label
    assert built(cfg).head.multi_label


def test_small_keeps_the_loss_and_needs_a_number_of_classes(stock):
    cfg = stock()
    cfg.model.head.loss = dict(type='LabelSmoothLoss', label_smooth_val=0.2)
    cfg = guide_config(cfg, MASKS, recipe='small')
    assert built(cfg).head.loss_module.label_smooth_val == 0.2
    with pytest.raises(ValueError, match='head ClsHead has none: end the backbone'):
        guide_config(stock('lenet/lenet5_mnist'), MASKS, recipe='small')


@pytest.mark.parametrize(
    'change, message',
    [
        (
            dict(model=dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))),
            r'_base_`, by `model = dict\(train_cfg=dict\(augments=None\)\)`',
        ),
        (
            dict(train_dataloader=dict(sampler=dict(type='RepeatAugSampler'))),
            r"the train_dataloader has RepeatAugSampler: write .*'DefaultSampler'",
        ),
    ],
)
def test_what_does_not_fit_the_recipe_is_refused(pretrained, change, message):
    pretrained.merge_from_dict(change)
    with pytest.raises(ValueError, match=message):
        guide_config(pretrained, BOXES, recipe='pretrained')


def test_recipes_are_named():
    with pytest.raises(ValueError, match=r"must be one of \('pretrained', 'small'\)"):
        guide_config(Config(dict(model=dict())), BOXES, recipe='deep')


@pytest.mark.parametrize(
    'name, zero_head',
    [
        ('resnet/resnet50_8xb8_cub', True),
        ('arcface/resnet50-arcface_8xb32_inshop', False),
        ('vision_transformer/vit-base-p32_64xb64_in1k', True),
        ('convnext/convnext-tiny_32xb128_in1k', True),
        ('efficientformer/efficientformer-l1_8xb128_in1k', False),
    ],
)
def test_a_part_of_each_network_is_frozen_and_a_part_trained(name, zero_head):
    cfg = get_config(f'mmpretrain::{name}.py')
    cfg.load_from = 'weights.pth'
    cfg.model.train_cfg = None
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    for place in (cfg.model, cfg):
        if place.get('data_preprocessor'):
            place.data_preprocessor.pop('batch_augments', None)
    cfg = guide_config(cfg, BOXES, recipe='pretrained')
    assert cfg.model.fine_tuning.zero_head == zero_head
    for key in ('backbone', 'image_encoder'):
        part = cfg.model.get(key) or {}
        (part[0] if isinstance(part, list) else part).pop('init_cfg', None)
    if 'image_encoder' in cfg.model:
        cfg.model.prototype = torch.zeros(1, 2048)
    frozen = [not one.requires_grad for one in built(cfg).parameters()]
    assert 0.2 < sum(frozen) / len(frozen) < 0.9
