"""Guidance in the loops that people have: processes, compiled, mixed precision ..."""

import copy

import pytest
import torch
import torch.nn.functional as F
from gloo_processes import run_in_processes
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from cfcn_plugin import FeatureHook, Guide, MaskBatch
from cfcn_plugin.guidance import (
    ActDiffLoss,
    CausalFocusLoss,
    GAINLoss,
    RightReasonsLoss,
)

METHODS = {
    'focus': CausalFocusLoss,
    'gain': GAINLoss,
    'right_reasons': RightReasonsLoss,
    'actdiff': lambda reduction: ActDiffLoss(context='zero', reduction=reduction),
}
LABELS = torch.tensor([0, 2, 1, 1])


class Net(nn.Module):
    """Without BatchNorm, so that an image's share does not depend on the batch."""

    def __init__(self, use_reentrant=None):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.GELU())
        self.stage = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Softplus())
        self.fc = nn.Linear(4, 3)
        self.use_reentrant = use_reentrant

    def forward(self, images):
        maps = self.stem(images)
        if self.use_reentrant is None:
            maps = self.stage(maps)
        else:
            maps = checkpoint(self.stage, maps, use_reentrant=self.use_reentrant)
        return self.fc(maps.mean((2, 3)))


def batch(rows=slice(None)):
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(4, 1, 16, 16, dtype=torch.uint8)
    mask[..., :6, 2:9] = 1
    guided = torch.tensor([True, False, True, True])
    return images[rows], LABELS[rows], MaskBatch(mask[rows], None, guided[rows])


def loss_of(guide, model, rows=slice(None)):
    images, labels, masks = batch(rows)
    images = guide.prepare(images)
    with guide:
        logits = model(images)
    return F.cross_entropy(logits, labels) + guide.loss(images, logits, labels, masks)


def gradient(net):
    return {name: p.grad.clone() for name, p in net.named_parameters()}


def expected(method, reduction='guided', rows=slice(None)):
    """The gradient of one plain step."""
    net = Net()
    loss_of(
        Guide(net, METHODS[method](reduction=reduction), FeatureHook('stage')),
        net,
        rows,
    ).backward()
    return gradient(net)


def equal(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, msg=lambda m, n=name: f'{n}: {m}')


# ---- two processes ---------------------------------------------------------------


def replicated(net):
    return DistributedDataParallel(net)


def sharded(net):
    fully_shard(net.stage)
    return fully_shard(net)


def accumulate(rank, name):
    """The averaged gradient of two steps, of which the first is not averaged."""
    net = Net()
    guide = Guide(net, METHODS[name](reduction='batch'), FeatureHook('stage'))
    model = replicated(net)
    with model.no_sync():
        (loss_of(guide, model, slice(2 * rank, 2 * rank + 1)) / 2).backward()
    (loss_of(guide, model, slice(2 * rank + 1, 2 * rank + 2)) / 2).backward()
    return gradient(net)


def train_a_rank(rank, names):
    """The averaged gradient of each method; the first process has one guided image."""
    found = {('accumulated', name): accumulate(rank, name) for name in names}
    for wrap in (replicated, sharded):
        for name in names:
            net = Net()
            guide = Guide(net, METHODS[name](reduction='guided'), FeatureHook('stage'))
            model = wrap(net)
            try:
                loss_of(guide, model, slice(2 * rank, 2 * rank + 2)).backward()
            except RuntimeError as error:
                found[wrap.__name__, name] = str(error)
                continue
            found[wrap.__name__, name] = {
                key: value.full_tensor() if hasattr(value, 'full_tensor') else value
                for key, value in gradient(net).items()
            }
    return found


@pytest.fixture(scope='module')
def ranks():
    return run_in_processes(train_a_rank, 2, list(METHODS))


def test_the_gradient_of_two_processes_is_that_of_the_joined_batch(ranks):
    for found in ranks:
        gradients = {
            key: value
            for key, value in found.items()
            if key != ('sharded', 'right_reasons')
        }
        assert len(gradients) == 3 * len(METHODS) - 1
        for (how, name), value in gradients.items():
            equal(value, expected(name, 'batch' if how == 'accumulated' else 'guided'))


def test_a_second_derivative_of_sharded_weights_is_refused_with_what_to_do(ranks):
    said = ranks[0]['sharded', 'right_reasons']
    assert 'RightReasonsLoss differentiates the model twice' in said
    assert 'use DistributedDataParallel, or a method that differentiates once' in said


# ---- one process -------------------------------------------------------------------


@pytest.mark.parametrize('method', METHODS)
def test_accumulated_gradients_are_those_of_the_batch(method):
    net = Net()
    guide = Guide(net, METHODS[method](reduction='batch'), FeatureHook('stage'))
    for rows in (slice(0, 2), slice(2, 4)):
        (loss_of(guide, net, rows) / 2).backward()
    equal(gradient(net), expected(method, 'batch'))


@pytest.mark.parametrize('method', METHODS)
def test_a_compiled_model_has_the_gradient_of_the_plain_one(method):
    net = Net()
    guide = Guide(net, METHODS[method](reduction='guided'), FeatureHook('stage'))
    loss_of(guide, torch.compile(net, backend='aot_eager')).backward()
    equal(gradient(net), expected(method))


@pytest.mark.parametrize(
    'method,use_reentrant',
    [
        ('focus', False),
        ('gain', False),
        ('actdiff', False),
        ('right_reasons', False),
        ('focus', True),
    ],
)
def test_checkpointed_activations_give_the_same_gradient(method, use_reentrant):
    net = Net(use_reentrant)
    guide = Guide(net, METHODS[method](reduction='guided'), FeatureHook('stage'))
    loss_of(guide, net).backward()
    equal(gradient(net), expected(method))


def test_a_map_inside_re_entrant_checkpointing_is_told():
    net = Net(use_reentrant=True)
    guide = Guide(net, CausalFocusLoss(), FeatureHook('stage.0'))
    with pytest.raises(RuntimeError, match='re-entrant activation checkpointing'):
        loss_of(guide, net)


@pytest.mark.parametrize('method', METHODS)
def test_mixed_precision_with_a_scaler_trains_as_the_full_one(method):
    net = Net()
    guide = Guide(net, METHODS[method](reduction='guided'), FeatureHook('stage'))
    scaler = torch.amp.GradScaler('cpu', init_scale=2.0**10)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with torch.autocast('cpu', torch.bfloat16):
        loss = loss_of(guide, net)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    found = gradient(net)
    for name, value in expected(method).items():  # bfloat16 has 8 bits
        alike = F.cosine_similarity(found[name].flatten(), value.flatten(), dim=0)
        assert alike > 0.95, name
    before = copy.deepcopy(net.state_dict())
    scaler.step(optimizer)
    assert not torch.equal(before['stem.0.weight'], net.stem[0].weight)


def test_average_weights_follow_the_model_and_are_a_stock_model():
    net = Net()
    average = torch.optim.swa_utils.AveragedModel(net)
    guide = Guide(net, CausalFocusLoss(), FeatureHook('stage'))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    loss_of(guide, net).backward()
    optimizer.step()
    average.update_parameters(net)
    assert average.module.state_dict().keys() == Net().state_dict().keys()
    equal(dict(average.module.named_parameters()), dict(net.named_parameters()))
