"""Every method trains a real model, and leaves it the stock one."""

import copy

import numpy as np
import pytest
import torch
from batches import focus_of
from gloo_processes import run_in_processes
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from small_models import small_vit
from torch.nn.parallel import DistributedDataParallel

from cfcn_plugin.guidance import Guidance

METHODS = {
    'focus': dict(type='CausalFocusLoss'),
    'gain': dict(type='GAINLoss'),
    'rrr': dict(type='RightReasonsLoss', loss_weight=0.1),
    'energy': dict(type='ExplanationLoss'),
    'l1': dict(type='ExplanationLoss', metric='l1'),
    'kl': dict(type='ExplanationLoss', metric='kl'),
    'actdiff': dict(type='ActDiffLoss', loss_weight=0.1),
    'consistency': dict(type='ConsistencyLoss', metric='square', loss_weight=0.1),
    'focus micro': dict(
        type='CausalFocusLoss', average='micro', channel_weights='gradient'
    ),
    'focus and rrr': [
        dict(type='CausalFocusLoss'),
        dict(type='RightReasonsLoss', loss_weight=0.1),
    ],
    'square': dict(type='ExplanationLoss', metric='square'),
    'uniform': dict(type='UniformContextLoss'),
}
CNN = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4, 6], strides=2, dropout=0.0),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3),
)
TIMM = dict(
    type='GuidedTimmClassifier',
    model_name='test_vit',
    img_size=64,
    num_classes=3,
    global_pool='avg',
)
SIZE = 32

each_method = pytest.mark.parametrize('guidance', METHODS.values(), ids=METHODS)


def batch(guided=(True, True, False), size=SIZE):
    generator = torch.Generator().manual_seed(1)
    samples = []
    for index, is_guided in enumerate(guided):
        sample = DataSample().set_gt_label(index % 3)
        sample.set_field(is_guided, 'guided')
        if is_guided:
            mask = np.zeros((size, size), np.uint8)
            mask[: size // 2, index * 8 :] = 1
            sample.set_field(mask, 'activation_mask')
        samples.append(sample)
    inputs = torch.rand(len(guided), 3, size, size, generator=generator)
    return dict(inputs=list(inputs), data_samples=samples)


def build(guidance, cfg=CNN, **changes):
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy({**cfg, 'guidance': guidance, **changes}))
    return model.train()


def losses_of(model, data=None):
    packed = model.data_preprocessor(data or batch(), training=True)
    return model(**packed, mode='loss')


def optimized(losses):
    return {k: v for k, v in losses.items() if 'loss' in k and k != 'loss'}


@each_method
def test_a_step_trains_the_backbone_by_the_terms(guidance):
    model = build(guidance)
    losses = losses_of(model)
    terms = optimized(losses)
    assert terms and all(v.requires_grad and v.isfinite() for v in terms.values())
    torch.testing.assert_close(losses['total'], losses['loss'] + sum(terms.values()))
    sum(terms.values()).backward()
    assert model.backbone.layers[0][0].weight.grad.any()
    logged = set(losses) - set(terms) - {'loss'}
    assert not any(losses[key].requires_grad for key in logged)


@each_method
def test_train_steps_stay_finite_and_lower_the_loss(guidance):
    model = build(guidance)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    logs = [model.train_step(batch(), optimizer) for _ in range(12)]
    assert float(logs[-1]['total']) < float(logs[0]['total'])


@each_method
def test_checkpoint_is_that_of_the_baseline(guidance):
    assert list(build(guidance).state_dict()) == list(build(None).state_dict())


@each_method
def test_statistics_and_hooks_are_as_after_the_plain_step(guidance):
    guided, plain = build(guidance), build(None)
    losses_of(guided)
    losses_of(plain)
    for ours, theirs in zip(guided.buffers(), plain.buffers()):
        torch.testing.assert_close(ours, theirs)
    captures = [*guided.feature_hook.captures, guided._scores]
    assert not any(c.armed or c.raw is not None for c in captures)
    assert all(p.grad is None for p in guided.parameters())


@each_method
def test_tokens_and_class_scores_of_a_timm_transformer_are_guided(guidance):
    model = build(guidance, TIMM)
    terms = optimized(losses_of(model, batch(size=64)))
    sum(terms.values()).backward()
    assert model.model.blocks[0].mlp.fc1.weight.grad.any()


@each_method
def test_a_retriever_is_guided(guidance):
    model = MODELS.build(
        dict(
            type='GuidedRetriever',
            image_encoder=[
                copy.deepcopy(CNN['backbone']),
                dict(type='GlobalAveragePooling'),
            ],
            head=dict(type='ArcFaceClsHead', num_classes=3, in_channels=6),
            prototype=torch.rand(3, 6),
            guidance=guidance,
        )
    ).train()
    terms = optimized(losses_of(model))
    sum(terms.values()).backward()
    assert model.image_encoder[0].layers[0][0].weight.grad.any()


def test_measured_ratio_is_that_of_the_focus_term_among_several():
    focus = dict(type='CausalFocusLoss', average='micro')
    ratios = []
    for guidance in (
        focus,
        [dict(type='ActDiffLoss'), focus],
        None,
        dict(type='ActDiffLoss'),
        dict(type='CausalFocusLoss'),
    ):
        ratios.append(focus_of(build(guidance), batch())[0]['ratio'])
    assert ratios[0] == ratios[1] != ratios[2]
    assert ratios[2] == ratios[3] == ratios[4]


# ---- what trainers do around a step ------------------------------------------


def test_methods_are_summed_by_a_config_of_their_combination_too():
    focus, diff = dict(type='CausalFocusLoss'), dict(type='LiteralFocusLoss')
    combined = build(dict(type='Combined', methods=[focus, diff])).guidance
    assert [type(m).__name__ for m in combined.methods] == [
        'CausalFocusLoss',
        'LiteralFocusLoss',
    ]


def gradient_of(model, losses):
    model.zero_grad()
    sum(optimized(losses).values()).backward()
    return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


@each_method
def test_compiled_model_has_the_same_terms_and_gradient(guidance):
    plain, compiled = build(guidance), build(guidance)
    compiled.forward = torch.compile(compiled.forward, backend='aot_eager')
    torch.manual_seed(1)
    expected = losses_of(plain)
    torch.manual_seed(1)
    found = losses_of(compiled)
    torch.testing.assert_close(found, expected)
    gradient = gradient_of(compiled, found)
    for name, value in gradient_of(plain, expected).items():
        torch.testing.assert_close(
            gradient.get(name, torch.zeros_like(value)), value, msg=name
        )


@each_method
def test_autocast_changes_no_more_than_bfloat16_does(guidance):
    model = build(guidance)
    torch.manual_seed(1)
    expected = optimized(losses_of(model))
    torch.manual_seed(1)
    with torch.autocast('cpu', torch.bfloat16):
        found = optimized(losses_of(model))
    for key, value in expected.items():
        assert found[key].dtype == torch.float32
        torch.testing.assert_close(found[key], value, rtol=0.1, atol=0.02)
    assert all(g.isfinite().all() for g in gradient_of(model, found).values())


VIT = small_vit(32, 8, out_type='avg_featmap')  # without random numbers
ALIKE = {
    **{k: v for k, v in METHODS.items() if k not in ('actdiff', 'consistency')},
    'actdiff': dict(type='ActDiffLoss', context='zero'),
}
HALVES = ((True, False), (True, True))


def half(*ranks):
    whole = batch([one for guided in HALVES for one in guided])
    chosen = [2 * rank + i for rank in ranks for i in range(2)]
    return {
        key: [copy.deepcopy(value[i]) for i in chosen] for key, value in whole.items()
    }


def step_of(guidance, data, wrap=lambda model: model):
    model = build(guidance, VIT)
    packed = model.data_preprocessor(data, training=True)
    wrapped = wrap(model)  # kept: its gradients are averaged while it lives
    losses = wrapped(**packed, mode='loss')
    model.parse_losses(losses)[0].backward()
    return {n: p.grad for n, p in model.named_parameters()}


def one_rank(rank):
    return {
        name: step_of(guidance, half(rank), DistributedDataParallel)
        for name, guidance in ALIKE.items()
    }


@pytest.fixture(scope='module')
def of_two_ranks():
    return run_in_processes(one_rank, 2)


@pytest.mark.parametrize('name', ALIKE)
def test_gradient_of_two_ranks_is_that_of_the_joined_batch(of_two_ranks, name):
    expected = step_of(ALIKE[name], half(0, 1))
    for found in of_two_ranks:
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-6)


# ---- the contract --------------------------------------------------------------


class Curious(Guidance):
    """Looks at other images and at gradients, and may fail."""

    fail = False

    def forward(self, seen):
        self.other = seen.model.features(seen.images * 0.5)
        if self.fail:
            seen.model.features(seen.images[:, :1])  # no such image
        self.gradients = seen.model.gradients(seen.logits[:, 0])
        self.maps = seen.maps
        return dict(loss_curious=self.other[0].mean())


def test_maps_of_other_images_are_a_pass_of_their_own():
    model = build(Curious())
    losses = losses_of(model)
    assert losses['loss_curious'].requires_grad
    seen = model.guidance
    assert seen.other[0].shape == seen.maps[0].shape
    assert not torch.equal(seen.other[0], seen.maps[0])
    model.eval()
    with torch.no_grad():
        expected = model.backbone(torch.stack(batch()['inputs']) * 0.5)[-1]
    losses_of(model)
    torch.testing.assert_close(model.guidance.other[0].detach(), expected)


def test_nothing_is_left_behind_when_the_second_pass_fails():
    model = build(Curious())
    model.guidance.fail = True
    statistics = copy.deepcopy(model.state_dict())
    with pytest.raises(RuntimeError):
        losses_of(model)
    captures = [*model.feature_hook.captures, model._scores]
    assert not any(c.armed or c.raw is not None for c in captures)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and all(m.track_running_stats for m in norms)
    after = model.state_dict()
    assert (
        statistics['backbone.layers.0.1.num_batches_tracked'] + 1
        == after['backbone.layers.0.1.num_batches_tracked']
    )  # the first pass, and no other


def test_several_targets_give_several_maps_and_gradients():
    model = build(
        Curious(),
        feature_hook=dict(
            type='FeatureHook', target=['backbone.layers.0', 'backbone.layers.1']
        ),
    )
    losses_of(model)
    seen = model.guidance
    shapes = [m.shape for m in seen.maps]
    assert len(shapes) == 2
    assert [g.shape for g in seen.gradients] == shapes
    assert [m.shape for m in seen.other] == shapes


def test_gradients_of_tokens_are_those_of_the_map():
    model = build(Curious(), TIMM)
    losses_of(model, batch(size=64))
    (gradient,) = model.guidance.gradients
    assert gradient.shape == model.guidance.maps[0].shape == (3, 64, 4, 4)
    assert gradient.any()


def test_a_map_without_a_part_in_the_score_is_an_error():
    model = build(
        Curious(), backbone=dict(type='CFCNNet', filters=[4, 6], strides=2, dropout=0.0)
    )
    for parameter in model.backbone.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(RuntimeError, match='no gradient in its map.*frozen'):
        losses_of(model)
