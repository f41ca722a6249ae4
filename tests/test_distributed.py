"""Several processes train and measure as one does on all images at once."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from gloo_processes import run_in_processes
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel, MMFullyShardedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.distributed.fsdp import StateDictType

import cfcn_plugin.mm  # noqa: F401

ROOT = Path(__file__).parents[1]
CNN = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4, 6], strides=4, dropout=0.0),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3),
)
CFCN_C = dict(
    type='GuidedClassifier',
    backbone=CNN['backbone'],
    head=dict(type='CausalFocusHead', num_classes=3, multi_label=True),
)
EACH = 2  # images a rank
GUIDED = {2: (True, True, False, False), 3: (True, True, False, True, False, False)}
METHODS = {
    'batch': dict(type='CausalFocusLoss', reduction='batch'),
    'guided': dict(type='CausalFocusLoss', reduction='guided'),
    'gradient': dict(
        type='CausalFocusLoss', reduction='guided', channel_weights='gradient'
    ),
    'share': dict(type='CausalFocusLoss', reduction='guided', average='micro'),
    'target': dict(type='CausalFocusLoss', reduction='guided', channels='target'),
    'per_class': dict(type='CausalFocusLoss', reduction='guided', channels='per_class'),
    'context': dict(type='CausalFocusLoss', channels='per_class', absent='context'),
    'gain': dict(type='GAINLoss', reduction='guided'),
    'explanation': dict(type='ExplanationLoss', reduction='guided'),
    'rrr': dict(type='RightReasonsLoss', reduction='guided'),
    'actdiff': dict(type='ActDiffLoss', reduction='guided', context='zero'),  # no draw
    'uniform': dict(type='UniformContextLoss', reduction='guided'),
}
WRAPPERS = {
    'unused': dict(find_unused_parameters=True),
    'static': dict(static_graph=True),
}


def batch(guided, rows, seed=1):
    """Rows of a batch of images, of which some are guided."""
    inputs = torch.rand(
        len(guided), 3, 32, 32, generator=torch.Generator().manual_seed(seed)
    )
    samples = []
    for index in rows:
        sample = DataSample().set_gt_label(index % 3)
        sample.set_field(guided[index], 'guided')
        if guided[index]:
            mask = torch.zeros(32, 32, dtype=torch.uint8)
            mask[:16, index * 4 :] = 1
            sample.set_field(mask.numpy()[None], 'activation_mask')
            sample.set_field(np.array([index % 3]), 'mask_classes')
        samples.append(sample)
    return dict(inputs=[inputs[i] for i in rows], data_samples=samples)


def build(guidance):
    torch.manual_seed(0)
    by_class = guidance.get('channels', 'all') != 'all'
    model = MODELS.build(dict(CFCN_C if by_class else CNN, guidance=dict(guidance)))
    model.train()
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.eval()  # a batch's statistics are a rank's own
    return model


def losses_of(model, data):
    inner = getattr(model, 'module', model)
    packed = inner.data_preprocessor(data, training=True)
    return inner.parse_losses(model(**packed, mode='loss'))


def gradients(model):
    inner = getattr(model, 'module', model)
    return {n: p.grad for n, p in inner.named_parameters() if p.grad is not None}


def step(model, rows, guided):
    loss, logged = losses_of(model, batch(guided, rows))
    loss.backward()
    return gradients(model), {key: value.item() for key, value in logged.items()}


def accumulated(model, rows, guided):
    """Weights after one update from two batches."""
    wrapper = OptimWrapper(
        torch.optim.SGD(model.parameters(), lr=1.0), accumulative_counts=2
    )
    for seed in (1, 2):
        # the second batch has other guided images
        data = batch(guided[::-1] if seed == 2 else guided, rows, seed)
        with wrapper.optim_context(model):
            loss, _ = losses_of(model, data)
        wrapper.update_params(loss)
    return getattr(model, 'module', model).state_dict()


def with_an_unused_layer(model):
    model.backbone.unused = torch.nn.Linear(2, 2)
    return model


def shards(rank, guided):
    """All that is compared, of this rank's rows."""
    rows = range(rank * EACH, (rank + 1) * EACH)
    wrapped = partial(
        MMDistributedDataParallel, device_ids=None, broadcast_buffers=False
    )
    found = {
        name: step(wrapped(build(guidance)), rows, guided)
        for name, guidance in METHODS.items()
    }
    for name, options in WRAPPERS.items():
        model = build(METHODS['guided'])
        if name == 'unused':
            model = with_an_unused_layer(model)
        ddp = wrapped(model, **options)
        step(ddp, rows, guided)
        ddp.zero_grad()
        found[name] = step(ddp, rows, guided)
    found['accumulated'] = accumulated(wrapped(build(METHODS['guided'])), rows, guided)
    return found


def close(found, expected):
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope='module', params=[2, 3])
def ranks(request):
    guided = GUIDED[request.param]
    return guided, run_in_processes(shards, request.param, guided)


def test_averaged_gradient_is_that_of_the_joined_batch(ranks):
    guided, found = ranks
    for name, guidance in METHODS.items():
        expected, _ = step(build(guidance), range(len(guided)), guided)
        for rank in found:
            close(rank[name][0], expected)


def test_mean_of_what_ranks_log_is_that_of_the_joined_batch(ranks):
    guided, found = ranks
    for name, guidance in METHODS.items():
        _, expected = step(build(guidance), range(len(guided)), guided)
        if guidance['type'] == 'CausalFocusLoss':  # active in images of one rank alone
            expected.pop('active_maps')
        for key, value in expected.items():
            logged = [rank[name][1] for rank in found]
            if key.startswith('focus'):  # a mean over guided images
                logged = [one for one in logged if one['guided_fraction']]
                counts = [one['guided_fraction'] for one in logged]
            else:
                counts = [1] * len(logged)
            mean = sum(count * one[key] for count, one in zip(counts, logged)) / sum(
                counts
            )
            assert mean == pytest.approx(value, rel=1e-4, abs=1e-6), (name, key)


def test_unused_parameters_and_static_graph_change_no_gradient(ranks):
    guided, found = ranks
    expected, _ = step(build(METHODS['guided']), range(len(guided)), guided)
    for name in WRAPPERS:
        close(found[0][name][0], expected)


def test_accumulated_update_is_the_mean_of_the_joined_batches(ranks):
    guided, found = ranks
    expected = accumulated(build(METHODS['guided']), range(len(guided)), guided)
    for rank in found:
        close(rank['accumulated'], expected)


# ---- FSDP -----------------------------------------------------------------------


def fully_sharded(rank, guided):
    rows = range(rank * EACH, (rank + 1) * EACH)
    model = MMFullyShardedDataParallel(
        build(METHODS['guided']), device_id=torch.device('cpu')
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    loss, _ = losses_of(model, batch(guided, rows))
    loss.backward()
    optimizer.step()
    with MMFullyShardedDataParallel.state_dict_type(
        model, StateDictType.FULL_STATE_DICT
    ):
        return model.state_dict()


def test_fully_sharded_update_is_that_of_one_process_and_so_are_its_keys():
    guided = GUIDED[2]
    model = build(METHODS['guided'])
    loss, _ = losses_of(model, batch(guided, range(len(guided))))
    loss.backward()
    torch.optim.SGD(model.parameters(), lr=1.0).step()
    for found in run_in_processes(fully_sharded, 2, guided):
        assert set(found) == set(model.state_dict())
        close(found, model.state_dict())


# ---- measures -------------------------------------------------------------------


def measured(rank, folder, data):
    """All metrics over 7 images: a number that 2 and 3 processes pad."""
    import os

    os.environ['CFCN_DATA'] = str(data)
    cfg = Config.fromfile(ROOT / 'configs/cfcn_efficientnet-lite0_waterbirds.py')
    cfg.merge_from_dict(
        {
            'model.backbone.model_name': 'test_resnet',
            'model.backbone.pretrained': False,
            'test_dataloader.batch_size': 2,
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
            'test_dataloader.dataset.indices': 7,
            'randomness.seed': 0,
        }
    )
    for load in cfg.test_dataloader.dataset.pipeline:
        if load['type'] == 'LoadActivationMask':
            load['fraction'] = 0.6
    cfg.test_cfg = dict(type='ModelAwareTestLoop')
    cfg.test_evaluator = [
        dict(type=name)
        for name in (
            'FocusMetric',
            'GroupAccuracy',
            'AUROC',
            'Calibration',
            'BackgroundSwapMetric',
            'BrightnessCurve',
            'ContrastCurve',
        )
    ]
    cfg.test_evaluator += [
        dict(type='ExplanationFocus', method=method)
        for method in ('grad_cam', 'input_x_gradient')
    ]
    cfg.work_dir = f'{folder}/{rank}'
    if rank is not None:
        cfg.launcher = 'pytorch'
        cfg.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
        )
        os.chdir(folder)  # where mmengine joins results
    return Runner.from_cfg(cfg).test()


@pytest.fixture(scope='module')
def alone(waterbirds_root, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('CFCN_DATA', str(waterbirds_root))
        return measured(None, tmp_path_factory.mktemp('alone'), waterbirds_root)


@pytest.mark.parametrize('count', [2, pytest.param(3, marks=pytest.mark.slow)])
def test_measures_are_those_of_one_process(alone, count, waterbirds_root, tmp_path):
    assert 0 < alone['focus/guided'] < 7
    assert alone['focus/guided'] + alone['focus/unguided'] == 7
    for found in run_in_processes(measured, count, tmp_path, waterbirds_root):
        assert found == pytest.approx(alone, rel=1e-5, nan_ok=True)
