"""Guiding changes what it says, unguiding undoes it; every config of ours builds."""
import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS, TRANSFORMS

from cfcn_plugin import guidance, guide_config, unguide_config
from cfcn_plugin.mm import datasets, engine, evaluation, models, transforms

pytestmark = pytest.mark.stacks
CONFIGS = sorted(Path(__file__).parents[2].glob('configs/*.py'))
STOCK_HEADS = [c for c in CONFIGS if 'cfcn_' in c.name or (
    'efficientnet' in c.name and 'cfcn-c' not in c.name)]


def pipeline(cfg, split='train'):
    dataset = cfg[f'{split}_dataloader'].dataset
    return dataset.get('pipeline') or dataset.dataset.pipeline


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_every_config_builds(path):
    cfg = Config.fromfile(path)
    if 'model_name' in cfg.model.backbone:
        cfg.model.backbone.update(pretrained=False, local_weights=None)
    model = MODELS.build(cfg.model)
    classes = cfg.train_dataloader.dataset.get('classes')
    assert classes is None or len(classes) == model.head.num_classes


def ours_in(config):
    """Names of types of ours anywhere in a config."""
    names = {name for part in (datasets, engine, evaluation, guidance, models,
                               transforms) for name in part.__all__}
    if isinstance(config, dict):
        found = [config['type']] if config.get('type') in names else []
        return found + [one for value in config.values() for one in ours_in(value)]
    if isinstance(config, list):
        return [one for value in config for one in ours_in(value)]
    return []


@pytest.mark.parametrize('path', STOCK_HEADS, ids=lambda p: p.stem)
def test_unguided_config_has_nothing_of_ours(path):
    cfg = Config.fromfile(path)
    before = cfg.pretty_text
    text = unguide_config(cfg).pretty_text
    for name in ('Guided', 'guidance', 'feature_hook', 'LoadActivationMask',
                 'MaskAware', 'FocusMetric', 'cfcn_plugin', 'CheckHook'):
        assert name not in text, name
    assert cfg.pretty_text == before  # a pure function
    assert not ours_in(unguide_config(cfg))


def test_drawing_swapping_and_precision_of_ours_become_stock():
    cfg = Config.fromfile(STOCK_HEADS[0])
    cfg.model.train_cfg = dict(
        augments=[dict(type='BackgroundSwap'), dict(type='Mixup', alpha=0.2)],
        probs=[0.5, 0.3])
    cfg.train_dataloader.sampler = dict(
        type='GuidedSampler', fraction=0.5, shuffle=True)
    cfg.optim_wrapper.type = 'CPUAmpOptimWrapper'
    back = unguide_config(cfg)
    assert back.model.train_cfg == dict(
        augments=[dict(type='Mixup', alpha=0.2)], probs=[0.3])
    assert back.train_dataloader.sampler == dict(type='DefaultSampler', shuffle=True)
    assert back.optim_wrapper.type == 'AmpOptimWrapper'
    assert not ours_in(back)


def test_how_a_run_survives_is_not_part_of_the_stock_config():
    cfg = Config.fromfile(STOCK_HEADS[0])
    cfg.update(exact_resume=True, runner_type='ResumableRunner')
    pipeline(cfg)[0] = dict(type='LoadImage', on_error='another')
    stock = unguide_config(cfg)
    assert not {'exact_resume', 'runner_type'} & set(stock)
    assert pipeline(stock)[0] == dict(type='LoadImageFromFile')


@pytest.mark.parametrize('path', [c for c in CONFIGS if c.stem.startswith('cnn_')],
                         ids=lambda p: p.stem)
def test_twins_differ_by_guidance_alone(path):
    name = path.name.removeprefix('cnn_')
    # cfcn_* have a stock head; where there is none, the baseline is CFCN-C's
    guided = path.with_name(f'cfcn_{name}')
    if not guided.exists():
        guided = path.with_name(f'cfcn-c_{name}')
    baseline, guided = Config.fromfile(path), Config.fromfile(guided)
    assert baseline.model.pop('guidance') is None
    guided.model.pop('guidance')
    assert baseline.to_dict() == guided.to_dict()


@pytest.mark.parametrize('path', [c for c in CONFIGS if 'cfcnnet' in c.name],
                         ids=lambda p: p.stem)
def test_paper_networks_take_the_images_of_their_pipeline(path):
    cfg = Config.fromfile(path)
    cfg.model.backbone.filters = [1] * len(cfg.model.backbone.filters)
    model = MODELS.build(cfg.model).eval()
    steps = [step.get('transform', step) for step in pipeline(cfg)]
    stored = (28, 28) if 'mnist' in path.name else (40, 40)
    width, height = next((s.scale for s in steps if s.type == 'Resize'), stored)
    assert model(torch.zeros(1, 3, height, width)).shape == (1, model.head.num_classes)


@pytest.mark.parametrize('method', ['gain', 'rrr', 'energy', 'l1', 'actdiff'])
def test_other_methods_differ_from_cfcn_by_guidance_alone(method):
    cfcn, other = (
        Config.fromfile(CONFIGS[0].with_name(f'{name}_efficientnet-lite0_waterbirds.py'))
        for name in ('cfcn', method))
    assert cfcn.model.pop('guidance') != other.model.pop('guidance')
    assert other.to_dict() == cfcn.to_dict()


# ---- guide_config --------------------------------------------------------------

MASKS = dict(type='PNGMasks', data_root='data', masks='masks')
# one for each of the zoo's pipelines and unusual heads
STOCK = [
    'resnet/resnet18_8xb32_in1k', 'resnet/resnet18_8xb16_cifar10',
    'resnet/resnet50_8xb8_cub', 'resnest/resnest101_32xb64_in1k',
    'regnet/regnetx-400mf_8xb128_in1k', 'lenet/lenet5_mnist',
    'arcface/resnet50-arcface_8xb32_inshop', 'csra/resnet101-csra_1xb16_voc07-448px',
    'conformer/conformer-tiny-p16_8xb128_in1k', 'deit/deit-tiny_4xb256_in1k',
    'mobilenet_v3/mobilenet-v3-large_8xb128_in1k', 'mobileone/mobileone-s1_8xb32_in1k',
    'efficientnet/efficientnet-b0_8xb32_in1k', 'convnext/convnext-base_32xb128_in21k',
    'spark/benchmarks/convnextv2-tiny_8xb256-coslr-300e_in1k',
    'mff/benchmarks/vit-base-p16_8xb2048-linear-coslr-90e_in1k'
]


def stock(name='resnet/resnet18_8xb32_in1k', **changes):
    cfg = get_config(f'mmpretrain::{name}.py')
    cfg.merge_from_dict(changes)
    return cfg


@pytest.mark.parametrize('name', STOCK)
def test_guided_config_unguides_to_the_stock_one(name):
    cfg = stock(name)
    before = copy.deepcopy(cfg.to_dict())
    guided = guide_config(cfg, MASKS)
    assert cfg.to_dict() == before  # a pure function
    assert unguide_config(guided).to_dict() == {**before, 'load_from': None}


@pytest.mark.parametrize('name', STOCK)
def test_guided_config_builds_and_survives_a_dump(name, tmp_path):
    guide_config(stock(name), dict(
        type='LoadActivationMask', missing='unguided',
        source=MASKS)).dump(tmp_path / 'guided.py')
    cfg = Config.fromfile(tmp_path / 'guided.py')
    if 'image_encoder' in cfg.model:
        cfg.model.image_encoder[0].pop('init_cfg')
        cfg.model.prototype = torch.zeros(1, 2048)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        assert MODELS.build(cfg.model).guidance.loss_weight == 1
        for step in pipeline(cfg):
            TRANSFORMS.build(step)


def test_guided_config_differs_from_stock_in_these_lines_alone():
    cfg = stock()
    guided = guide_config(cfg, MASKS).to_dict()
    expected = cfg.to_dict()
    load = dict(type='LoadActivationMask', source=MASKS)
    expected['model'].update(
        type='GuidedClassifier', guidance=dict(type='CausalFocusLoss'))
    for split in ('train', 'val', 'test'):
        steps = expected[f'{split}_dataloader']['dataset']['pipeline']
        expected[f'{split}_dataloader']['dataset']['pipeline'] = [
            steps[0], load, *(dict(type='MaskAware', transform=s) for s in steps[1:3]),
            dict(type='PackGuidedInputs')]
    for split in ('val', 'test'):
        expected[f'{split}_evaluator'] = [
            expected[f'{split}_evaluator'], dict(type='FocusMetric')]
    expected['custom_hooks'] = [dict(type='GuidanceCheckHook'),
                                dict(type='BatchedLogHook'), dict(type='ReduceLogHook')]
    expected['custom_imports'] = dict(
        imports=['cfcn_plugin.mm'], allow_failed_imports=False)
    assert guided == expected


def test_photometric_transforms_stay_as_they_are():
    kinds = [s['type'] for s in pipeline(guide_config(
        stock('resnest/resnest101_32xb64_in1k'), MASKS))]
    assert kinds == ['LoadImageFromFile', 'LoadActivationMask', 'MaskAware',
                     'MaskAware', 'MaskAware', 'ColorJitter', 'Lighting',
                     'PackGuidedInputs']


def test_images_kept_in_memory_get_their_masks_first():
    kinds = [s['type'] for s in pipeline(guide_config(
        stock('resnet/resnet18_8xb16_cifar10'), MASKS))]
    assert kinds == [
        'LoadActivationMask', 'MaskAware', 'MaskAware', 'PackGuidedInputs']


def test_pipelines_of_later_epochs_and_inner_data_sets_are_guided():
    cfg = stock('mobileone/mobileone-s1_8xb32_in1k')
    cfg.custom_hooks[0].schedule[1] = dict(
        action_epoch=112, train_pipeline=cfg.train_pipeline_112e)
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset', times=2,
        dataset=dict(type='ConcatDataset', datasets=[inner, inner]))
    guided = guide_config(cfg, MASKS)
    hook, = (h for h in guided.custom_hooks if h.type == 'SwitchRecipeHook')
    first, second = guided.train_dataloader.dataset.dataset.datasets
    for steps in (hook.schedule[0].pipeline, hook.schedule[1].train_pipeline,
                  first.pipeline, second.pipeline):
        assert steps[1].type == 'LoadActivationMask'
        assert steps[-1].type == 'PackGuidedInputs'
    assert unguide_config(guided).to_dict() == {**cfg.to_dict(), 'load_from': None}


def test_probing_loops_and_their_metrics_go_with_guidance():
    cfg = stock(test_cfg=dict(type='ModelAwareTestLoop', fp16=True),
                val_cfg=dict(type='ModelAwareValLoop'))
    cfg = guide_config(cfg, MASKS)
    cfg.test_evaluator.append(dict(type='ExplanationFocus', method='grad_cam'))
    back = unguide_config(cfg)
    assert (back.val_cfg, back.test_cfg) == (dict(), dict(fp16=True))
    assert back.test_evaluator == stock().test_evaluator


def test_a_split_without_masks_stays_stock():
    cfg = stock()
    val = dict(MASKS, masks='val')
    for guided in (guide_config(cfg, dict(train=MASKS, val=val)),
                   guide_config(cfg, MASKS, splits=['train', 'val'])):
        assert guided.test_dataloader == cfg.test_dataloader
        assert guided.test_evaluator == cfg.test_evaluator
        assert pipeline(guided)[1].source.masks == 'masks'
    assert guide_config(cfg, dict(train=MASKS, val=val)).val_dataloader.dataset \
        .pipeline[1].source.masks == 'val'


def test_guidance_and_hook_are_those_given():
    hook = dict(type='FeatureHook', target=['backbone.layer3', 'backbone.layer4'])
    guided = guide_config(stock(), MASKS, feature_hook=hook, guidance=dict(
        type='CausalFocusLoss', loss_weight=3.0))
    assert guided.model.feature_hook == hook
    assert MODELS.build(guided.model).guidance.loss_weight == 3
    baseline = guide_config(stock(), dict(val=MASKS), guidance=None)
    assert baseline.model.guidance is None
    assert baseline.train_dataloader == stock().train_dataloader


def test_a_list_of_methods_is_their_sum_also_after_a_dump(tmp_path):
    guidance = [dict(type='CausalFocusLoss'), dict(type='RightReasonsLoss')]
    guide_config(stock(), MASKS, guidance=guidance).dump(tmp_path / 'guided.py')
    model = MODELS.build(Config.fromfile(tmp_path / 'guided.py').model)
    assert [type(m).__name__ for m in model.guidance.methods] == [
        'CausalFocusLoss', 'RightReasonsLoss']


def test_custom_imports_and_scopes_of_the_stock_config_stay():
    cfg = stock(custom_imports=dict(imports='json', allow_failed_imports=True),
                **{'model.type': 'mmpretrain.ImageClassifier'})
    cfg.data_preprocessor.type = 'ClsDataPreprocessor'
    guided = guide_config(cfg, MASKS)
    assert guided.custom_imports == dict(
        imports=['json', 'cfcn_plugin.mm'], allow_failed_imports=True)
    assert guided.model.type == 'mmpretrain.GuidedClassifier'
    assert guided.data_preprocessor.type == 'GuidedDataPreprocessor'
    back = unguide_config(guided)
    assert back.model.type == 'mmpretrain.ImageClassifier'
    assert back.data_preprocessor == cfg.data_preprocessor


VIEWS = dict(type='MultiView', transforms=[[]], num_views=2)


@pytest.mark.parametrize('changes,arguments,message', [
    ({'model.type': 'MAE'}, {}, "type is 'MAE', and those .* ImageClassifier, Timm"),
    ({'model.type': 'GuidedClassifier'}, {}, 'guided already'),
    ({'model.head': None}, {}, 'no head'),
    ({'train_dataloader': None}, {},
     "guidance needs masks of the train split, and only \\['test', 'val'\\]"),
    ({'train_dataloader.dataset.pipeline.1': VIEWS}, {},
     r'train_dataloader\.dataset\.pipeline: it is not known whether MultiView'),
    ({'val_dataloader.dataset.pipeline.1.type': 'Nix'}, {},
     r"val_dataloader\.dataset\.pipeline: transform 'Nix' is not registered"),
    ({'train_dataloader.dataset.pipeline.3.type': 'PackMultiTaskInputs'}, {},
     'does not end in PackInputs'),
    ({'data_preprocessor.type': 'SelfSupDataPreprocessor'}, {},
     'SelfSupDataPreprocessor would leave masks behind'),
    ({}, dict(splits=('val', )), 'guidance needs masks of the train split'),
    ({}, dict(splits=('train', 'dev')), "`splits` knows .* got \\('train', 'dev'\\)"),
    ({}, dict(splits='train'), '`splits` knows'),
    ({}, dict(masks=dict(train=MASKS, valid=MASKS)), '`masks` knows the splits'),
    ({}, dict(masks=dict(train=MASKS, val=MASKS), splits=['train']),
     "`masks` has 'val', but `splits` is \\('train',\\)"),
    ({'val_dataloader': None}, dict(masks=dict(train=MASKS, val=MASKS)),
     'no val_dataloader'),
])
def test_what_cannot_be_guided_is_refused_by_name(changes, arguments, message):
    with pytest.raises(ValueError, match=message):
        guide_config(stock(**changes), **{'masks': MASKS, **arguments})
