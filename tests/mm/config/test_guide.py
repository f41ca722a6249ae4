"""Guiding changes what it says, and nothing else."""

import pytest
import torch
from mask_formats import EPS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS, TRANSFORMS

from cfcn_plugin import guide_config, unguide_config

pytestmark = pytest.mark.stacks
MASKS = dict(type='PNGMasks', data_root='data', masks='masks')


def pipeline(cfg, split='train'):
    dataset = cfg[f'{split}_dataloader'].dataset
    return dataset.get('pipeline') or dataset.dataset.pipeline


def test_guided_config_builds_and_survives_a_dump(zoo_config, tmp_path):
    guide_config(
        zoo_config, dict(type='LoadActivationMask', missing='unguided', source=MASKS)
    ).dump(tmp_path / 'guided.py')
    cfg = Config.fromfile(tmp_path / 'guided.py')
    if 'image_encoder' in cfg.model:
        cfg.model.image_encoder[0].pop('init_cfg')
        cfg.model.prototype = torch.zeros(1, 2048)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        assert MODELS.build(cfg.model).guidance.loss_weight == 1
        for step in pipeline(cfg):
            TRANSFORMS.build(step)


def test_guided_config_differs_from_stock_in_these_lines_alone(stock):
    cfg = stock()
    guided = guide_config(cfg, MASKS).to_dict()
    expected = cfg.to_dict()
    load = dict(type='LoadActivationMask', source=MASKS)
    expected['model'].update(
        type='GuidedClassifier', guidance=dict(type='CausalFocusLoss')
    )
    for split in ('train', 'val', 'test'):
        steps = expected[f'{split}_dataloader']['dataset']['pipeline']
        expected[f'{split}_dataloader']['dataset']['pipeline'] = [
            steps[0],
            load,
            *(dict(type='MaskAware', transform=s) for s in steps[1:3]),
            dict(type='PackGuidedInputs'),
        ]
    for split in ('val', 'test'):
        expected[f'{split}_evaluator'] = [
            expected[f'{split}_evaluator'],
            dict(type='FocusMetric'),
        ]
    expected['custom_hooks'] = [
        dict(type='GuidanceCheckHook'),
        dict(type='BatchedLogHook'),
        dict(type='ReduceLogHook'),
        dict(type='ModelAwareLoopHook'),
    ]
    expected['custom_imports'] = dict(
        imports=['cfcn_plugin.mm'], allow_failed_imports=False
    )
    assert guided == expected


@pytest.mark.parametrize(
    'options, kind',
    [
        ({}, 'LoadImageFromFile'),
        (dict(imdecode_backend='cv2'), 'LoadImageFromFile'),
        (dict(imdecode_backend='pillow'), 'LoadImage'),
        (dict(imdecode_backend=None), 'LoadImage'),
    ],
)
def test_images_that_pillow_decodes_are_loaded_by_our_step(stock, options, kind):
    cfg = stock()
    pipeline(cfg)[0].update(options)
    guided = guide_config(cfg, MASKS)
    assert pipeline(guided)[0] == dict(type=kind, **options)
    assert pipeline(unguide_config(guided))[0] == dict(
        type='LoadImageFromFile', **options
    )


def test_image_that_is_postscript_starts_no_program(stock, tmp_path, ghostscript):
    cfg = stock()
    pipeline(cfg)[0].imdecode_backend = 'pillow'
    (tmp_path / 'a.jpg').write_bytes(EPS)
    step = pipeline(guide_config(cfg, MASKS))[0]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        load = TRANSFORMS.build(step)
    with pytest.raises(OSError, match="a.jpg' cannot be read"):
        load(dict(img_path=str(tmp_path / 'a.jpg')))
    assert not ghostscript.exists()


def test_photometric_transforms_stay_as_they_are(stock):
    kinds = [
        s['type']
        for s in pipeline(guide_config(stock('resnest/resnest101_32xb64_in1k'), MASKS))
    ]
    assert kinds == [
        'LoadImageFromFile',
        'LoadActivationMask',
        'MaskAware',
        'MaskAware',
        'MaskAware',
        'ColorJitter',
        'Lighting',
        'PackGuidedInputs',
    ]


def test_images_kept_in_memory_get_their_masks_first(stock):
    kinds = [
        s['type']
        for s in pipeline(guide_config(stock('resnet/resnet18_8xb16_cifar10'), MASKS))
    ]
    assert kinds == ['LoadActivationMask', 'MaskAware', 'MaskAware', 'PackGuidedInputs']


def test_pipelines_of_later_epochs_and_inner_data_sets_are_guided(stock):
    cfg = stock('mobileone/mobileone-s1_8xb32_in1k')
    cfg.custom_hooks[0].schedule[1] = dict(
        action_epoch=112, train_pipeline=cfg.train_pipeline_112e
    )
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset',
        times=2,
        dataset=dict(type='ConcatDataset', datasets=[inner, inner]),
    )
    guided = guide_config(cfg, MASKS)
    (hook,) = (h for h in guided.custom_hooks if h.type == 'SwitchRecipeHook')
    first, second = guided.train_dataloader.dataset.dataset.datasets
    for steps in (
        hook.schedule[0].pipeline,
        hook.schedule[1].train_pipeline,
        first.pipeline,
        second.pipeline,
    ):
        assert steps[1].type == 'LoadActivationMask'
        assert steps[-1].type == 'PackGuidedInputs'
    assert unguide_config(guided).to_dict() == {**cfg.to_dict(), 'load_from': None}


def test_a_split_without_masks_stays_stock(stock):
    cfg = stock()
    val = dict(MASKS, masks='val')
    for guided in (
        guide_config(cfg, dict(train=MASKS, val=val)),
        guide_config(cfg, MASKS, splits=['train', 'val']),
    ):
        assert guided.test_dataloader == cfg.test_dataloader
        assert guided.test_evaluator == cfg.test_evaluator
        assert pipeline(guided)[1].source.masks == 'masks'
    assert (
        guide_config(cfg, dict(train=MASKS, val=val))
        .val_dataloader.dataset.pipeline[1]
        .source.masks
        == 'val'
    )


def test_guidance_and_hook_are_those_given(stock):
    hook = dict(type='FeatureHook', target=['backbone.layer3', 'backbone.layer4'])
    guided = guide_config(
        stock(),
        MASKS,
        feature_hook=hook,
        guidance=dict(type='CausalFocusLoss', loss_weight=3.0),
    )
    assert guided.model.feature_hook == hook
    assert MODELS.build(guided.model).guidance.loss_weight == 3
    baseline = guide_config(stock(), dict(val=MASKS), guidance=None)
    assert baseline.model.guidance is None
    assert baseline.train_dataloader == stock().train_dataloader


def test_a_list_of_methods_is_their_sum_also_after_a_dump(stock, tmp_path):
    guidance = [dict(type='CausalFocusLoss'), dict(type='RightReasonsLoss')]
    guide_config(stock(), MASKS, guidance=guidance).dump(tmp_path / 'guided.py')
    model = MODELS.build(Config.fromfile(tmp_path / 'guided.py').model)
    assert [type(m).__name__ for m in model.guidance.methods] == [
        'CausalFocusLoss',
        'RightReasonsLoss',
    ]


def test_custom_imports_and_scopes_of_the_stock_config_stay(stock):
    cfg = stock(
        custom_imports=dict(imports='json', allow_failed_imports=True),
        **{'model.type': 'mmpretrain.ImageClassifier'},
    )
    cfg.data_preprocessor.type = 'ClsDataPreprocessor'
    guided = guide_config(cfg, MASKS)
    assert guided.custom_imports == dict(
        imports=['json', 'cfcn_plugin.mm'], allow_failed_imports=True
    )
    assert guided.model.type == 'mmpretrain.GuidedClassifier'
    assert guided.data_preprocessor.type == 'GuidedDataPreprocessor'
    back = unguide_config(guided)
    assert back.model.type == 'mmpretrain.ImageClassifier'
    assert back.data_preprocessor == cfg.data_preprocessor


VIEWS = dict(type='MultiView', transforms=[[]], num_views=2)


@pytest.mark.parametrize(
    'changes,arguments,message',
    [
        (
            {'model.type': 'MAE'},
            {},
            "type is 'MAE', and those .* ImageClassifier, Timm",
        ),
        ({'model.type': 'GuidedClassifier'}, {}, 'guided already'),
        ({'model.head': None}, {}, 'no head'),
        (
            {'train_dataloader': None},
            {},
            "guidance needs masks of the train split, and only \\['test', 'val'\\]",
        ),
        (
            {'train_dataloader.dataset.pipeline.1': VIEWS},
            {},
            r'train_dataloader\.dataset\.pipeline: it is not known whether MultiView',
        ),
        (
            {'val_dataloader.dataset.pipeline.1.type': 'Nix'},
            {},
            r"val_dataloader\.dataset\.pipeline: transform 'Nix' is not registered",
        ),
        (
            {'train_dataloader.dataset.pipeline.3.type': 'PackMultiTaskInputs'},
            {},
            'does not end in PackInputs',
        ),
        (
            {'data_preprocessor.type': 'SelfSupDataPreprocessor'},
            {},
            'SelfSupDataPreprocessor would leave masks behind',
        ),
        ({}, dict(splits=('val',)), 'guidance needs masks of the train split'),
        (
            {},
            dict(splits=('train', 'dev')),
            "`splits` knows .* got \\('train', 'dev'\\)",
        ),
        ({}, dict(splits='train'), '`splits` knows'),
        ({}, dict(masks=dict(train=MASKS, valid=MASKS)), '`masks` knows the splits'),
        (
            {},
            dict(masks=dict(train=MASKS, val=MASKS), splits=['train']),
            "`masks` has 'val', but `splits` is \\('train',\\)",
        ),
        (
            {'val_dataloader': None},
            dict(masks=dict(train=MASKS, val=MASKS)),
            'no val_dataloader',
        ),
    ],
)
def test_what_cannot_be_guided_is_refused_by_name(stock, changes, arguments, message):
    with pytest.raises(ValueError, match=message):
        guide_config(stock(**changes), **{'masks': MASKS, **arguments})
