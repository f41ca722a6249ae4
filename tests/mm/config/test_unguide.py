"""Unguiding undoes what guiding did, and leaves nothing of ours."""

import copy
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from cfcn_plugin import guide_config, unguide_config
from cfcn_plugin.mm.models import GuidedClassifier
from cfcn_plugin.mm.registration import REGISTERED

pytestmark = pytest.mark.stacks
MASKS = dict(type='PNGMasks', data_root='data', masks='masks')
CONFIGS = sorted(Path(__file__).parents[3].glob('configs/*.py'))
STOCK_HEADS = [
    c
    for c in CONFIGS
    if 'cfcn_' in c.name or ('efficientnet' in c.name and 'cfcn-c' not in c.name)
]
NAMES = {one.__name__ for classes in REGISTERED.values() for one in classes}
DATA_SETS = {'CSVDataset', 'PetsBreeds', 'PetsSpecies'}


def pipeline(cfg, split='train'):
    dataset = cfg[f'{split}_dataloader'].dataset
    return dataset.get('pipeline') or dataset.dataset.pipeline


def ours_in(config):
    """Names of registered classes of ours anywhere in a config."""
    if isinstance(config, Config | dict):
        found = {config.get('type')} & NAMES
        return found.union(*map(ours_in, config.values()))
    if isinstance(config, list | tuple):
        return set().union(*map(ours_in, config))
    return set()


@pytest.mark.parametrize('path', STOCK_HEADS, ids=lambda p: p.stem)
def test_unguided_config_has_nothing_of_ours(path):
    cfg = Config.fromfile(path)
    before = cfg.pretty_text
    back = unguide_config(cfg)
    assert ours_in(cfg) - DATA_SETS
    assert ours_in(back) == ours_in(cfg) & DATA_SETS
    if ours_in(back):
        assert back.pop('custom_imports').imports == ['cfcn_plugin.mm']
    text = back.pretty_text
    for name in (
        'Guided',
        'guidance',
        'feature_hook',
        'LoadActivationMask',
        'MaskAware',
        'FocusMetric',
        'cfcn_plugin',
        'CheckHook',
    ):
        assert name not in text, name
    assert cfg.pretty_text == before  # a pure function


def test_a_data_set_of_ours_brings_its_import_which_may_fail(tmp_path, monkeypatch):
    guided = Config.fromfile(
        CONFIGS[0].with_name('cfcn_efficientnet-lite0_waterbirds.py')
    )
    unguide_config(guided).dump(tmp_path / 'stock.py')
    monkeypatch.setitem(sys.modules, 'cfcn_plugin.mm', None)
    with pytest.warns(UserWarning, match='cfcn_plugin.mm failed'):
        cfg = Config.fromfile(tmp_path / 'stock.py')
    assert cfg.train_dataloader.dataset.type == 'CSVDataset'
    assert cfg.custom_imports == dict(
        imports=['cfcn_plugin.mm'], allow_failed_imports=True
    )


def test_drawing_swapping_and_precision_of_ours_become_stock():
    cfg = Config.fromfile(STOCK_HEADS[0])
    cfg.model.train_cfg = dict(
        augments=[dict(type='BackgroundSwap'), dict(type='Mixup', alpha=0.2)],
        probs=[0.5, 0.3],
    )
    cfg.train_dataloader.sampler = dict(
        type='GuidedSampler', fraction=0.5, shuffle=True
    )
    cfg.optim_wrapper.type = 'CPUAmpOptimWrapper'
    back = unguide_config(cfg)
    assert back.model.train_cfg == dict(
        augments=[dict(type='Mixup', alpha=0.2)], probs=[0.3]
    )
    assert back.train_dataloader.sampler == dict(type='DefaultSampler', shuffle=True)
    assert back.optim_wrapper.type == 'AmpOptimWrapper'
    assert back.optim_wrapper.dtype == 'bfloat16'
    assert not ours_in(back) - DATA_SETS


def test_how_a_run_survives_is_not_part_of_the_stock_config():
    cfg = Config.fromfile(STOCK_HEADS[0])
    cfg.update(exact_resume=True, runner_type='ResumableRunner')
    pipeline(cfg)[0] = dict(type='LoadImage', on_error='another')
    stock = unguide_config(cfg)
    assert not {'exact_resume', 'runner_type'} & set(stock)
    assert pipeline(stock)[0] == dict(type='LoadImageFromFile')


def test_a_class_of_ours_is_found_wherever_a_config_has_it():
    cfg = Config.fromfile(STOCK_HEADS[0])
    swap = dict(augments=dict(type='BackgroundSwap'))
    cfg.merge_from_dict(
        {
            'source': dict(type='PNGMasks'),
            'methods': [dict(type='GAINLoss')],
            'default_hooks.checkpoint': dict(type='AtomicCheckpointHook', interval=2),
            'default_hooks.stop': dict(type='PreemptionHook'),
            'train_cfg': dict(_delete_=True, type='ResumableIterLoop', max_iters=3),
            'model.type': GuidedClassifier,
            'model.train_cfg': swap,
        }
    )
    cfg.custom_hooks = [
        dict(type='mmpretrain.DeadMapHook'),
        dict(
            type='SwitchRecipeHook',
            schedule=[dict(action_epoch=1, batch_augments=swap)],
        ),
    ]
    back = unguide_config(cfg)
    assert not ours_in(back) - DATA_SETS
    assert not {'source', 'methods'} & set(back)
    assert back.default_hooks.checkpoint == dict(
        type='CheckpointHook', interval=2, max_keep_ckpts=2
    )
    assert 'stop' not in back.default_hooks
    assert back.train_cfg == dict(type='IterBasedTrainLoop', max_iters=3)
    assert (back.model.type, back.model.train_cfg) == ('ImageClassifier', None)
    # None, not left out: no augment from this epoch on
    assert back.custom_hooks == [
        dict(
            type='SwitchRecipeHook',
            schedule=[dict(action_epoch=1, batch_augments=None)],
        )
    ]


def test_a_list_that_only_we_filled_goes_and_accuracy_takes_the_place_of_metrics():
    cfg = Config.fromfile(STOCK_HEADS[0])
    cfg.custom_hooks = [dict(type='DeadMapHook')]
    cfg.val_evaluator = [dict(type='FocusMetric'), dict(type='AUROC')]
    back = unguide_config(cfg)
    assert 'custom_hooks' not in back
    assert back.val_evaluator == dict(type='Accuracy', topk=1)


@pytest.mark.parametrize(
    'name,kept', [('resnet10t', {}), ('vit_tiny_patch16_224', dict(img_size=96))]
)
def test_timm_backbone_keeps_its_size_where_timm_takes_one(name, kept):
    cfg = Config.fromfile(STOCK_HEADS[0])
    cfg.model.backbone = dict(
        type='GuidedTIMMBackbone',
        model_name=name,
        pretrained=True,
        img_size=96,
        channels_last=True,
        local_weights={},
        checkpoint_path='weights.pth',
    )
    assert unguide_config(cfg).model.backbone == dict(
        type='TIMMBackbone', model_name=name, pretrained=False, **kept
    )


def test_a_head_of_ours_has_no_stock_config():
    cfg = Config.fromfile(CONFIGS[0].with_name('cfcn-c_cfcnnet_textured-digits.py'))
    with pytest.raises(ValueError, match='CausalFocusHead is not a stock head'):
        unguide_config(cfg)


def test_guided_config_unguides_to_the_stock_one(zoo_config):
    cfg = zoo_config
    before = copy.deepcopy(cfg.to_dict())
    guided = guide_config(cfg, MASKS)
    assert cfg.to_dict() == before  # a pure function
    assert unguide_config(guided).to_dict() == {**before, 'load_from': None}


def test_model_aware_loops_and_their_metrics_go_with_guidance(stock):
    cfg = stock(
        test_cfg=dict(type='ModelAwareTestLoop', fp16=True),
        val_cfg=dict(type='ModelAwareValLoop'),
    )
    cfg = guide_config(cfg, MASKS)
    cfg.test_evaluator.append(dict(type='ExplanationFocus', method='grad_cam'))
    back = unguide_config(cfg)
    assert (back.val_cfg, back.test_cfg) == (dict(), dict(fp16=True))
    assert back.test_evaluator == stock().test_evaluator
