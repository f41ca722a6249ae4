"""What trainers do around a step leaves guidance what it is."""

import copy

import numpy as np
import pytest
import torch
from batches import focus_of
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from small_models import SMALL_CNN, small_vit
from torch._dynamo.testing import CompileCounterWithBackend

import cfcn_plugin.mm  # noqa: F401

VIT = dict(small_vit(64, 16), guidance=dict(type='CausalFocusLoss', loss_weight=2.0))
TIMM = dict(
    type='GuidedTimmClassifier',
    model_name='test_vit',
    depth=2,
    img_size=64,
    num_classes=3,
    guidance=dict(type='CausalFocusLoss'),
)


def batch(guided=(True, True, False)):
    generator = torch.Generator().manual_seed(1)
    samples = []
    for index, is_guided in enumerate(guided):
        sample = DataSample().set_gt_label(index % 3)
        sample.set_field(is_guided, 'guided')
        if is_guided:
            mask = np.zeros((64, 64), np.uint8)
            mask[:32, index * 8 :] = 1
            sample.set_field(mask, 'activation_mask')
        samples.append(sample)
    inputs = torch.rand(len(guided), 3, 64, 64, generator=generator)
    return dict(inputs=list(inputs), data_samples=samples)


def build(cfg=VIT, **changes):
    torch.manual_seed(0)
    model = MODELS.build({**copy.deepcopy(cfg), **changes})
    model.train()
    return model


def losses_of(model, data=None):
    packed = model.data_preprocessor(data or batch(), training=True)
    return model(**packed, mode='loss')


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def numbers(losses):
    return {key: float(value.detach()) for key, value in losses.items()}


@pytest.mark.parametrize('cfg', [SMALL_CNN, TIMM])
def test_compiled_model_has_the_same_losses_and_gradient(cfg):
    plain, compiled = build(cfg), build(cfg)
    expected = losses_of(plain)
    counter = CompileCounterWithBackend('aot_eager')
    compiled.forward = torch.compile(compiled.forward, backend=counter)  # as mmengine
    found = losses_of(compiled)
    graphs = counter.frame_count
    assert numbers(found) == pytest.approx(numbers(expected), rel=1e-5)
    gradient = gradients(compiled, found['loss_focus'])
    for name, value in gradients(plain, expected['loss_focus']).items():
        torch.testing.assert_close(gradient.pop(name), value, rtol=1e-4, atol=1e-6)
    assert not any(value.any() for value in gradient.values())
    losses_of(compiled)
    assert 0 < counter.frame_count == graphs  # nothing is compiled again
    assert all(c.raw is None for c in compiled.feature_hook.captures)


def test_compiled_model_predicts_with_its_focus():
    plain, compiled = build(SMALL_CNN), build(SMALL_CNN)
    for model in (plain, compiled):
        model.eval()
    compiled.forward = torch.compile(compiled.forward, backend='aot_eager')
    (ours, our_step), (theirs, their_step) = (
        model.predict_with_maps(**model.data_preprocessor(batch()))
        for model in (compiled, plain)
    )
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one.pred_score, other.pred_score)
    torch.testing.assert_close(our_step.maps[0], their_step.maps[0])
    for one, other in zip(focus_of(compiled, batch()), focus_of(plain, batch())):
        assert one == (other and pytest.approx(other, rel=1e-4))


def test_autocast_changes_no_more_than_bfloat16_does():
    model = build()
    expected = losses_of(model)
    with torch.autocast('cpu', torch.bfloat16):
        found = losses_of(model)
    assert found['loss_focus'].dtype == torch.float32
    assert numbers(found) == pytest.approx(numbers(expected), rel=2e-2)
    assert all(
        torch.isfinite(g).all() for g in gradients(model, found['loss_focus']).values()
    )


def test_scaled_float16_changes_no_more_than_float16_does():
    model = build(SMALL_CNN)
    expected = losses_of(model)
    gradient = gradients(model, expected['loss_focus'])
    scaler = torch.amp.GradScaler('cpu', init_scale=2.0**16)
    with torch.autocast('cpu', torch.float16):
        found = losses_of(model)
    assert found['loss_focus'].dtype == torch.float32
    assert numbers(found) == pytest.approx(numbers(expected), rel=5e-3)
    scaled = gradients(model, scaler.scale(found['loss_focus']))
    assert scaled.keys() == gradient.keys()
    for name, value in scaled.items():
        torch.testing.assert_close(value / 2**16, gradient[name], rtol=1e-2, atol=2e-4)


def test_channels_last_changes_neither_losses_nor_gradient():
    plain, last = (
        build(SMALL_CNN),
        build(SMALL_CNN).to(memory_format=torch.channels_last),
    )
    data = last.data_preprocessor(batch(), training=True)
    data['inputs'] = data['inputs'].contiguous(memory_format=torch.channels_last)
    found, expected = last(**data, mode='loss'), losses_of(plain)
    assert numbers(found) == pytest.approx(numbers(expected), rel=1e-5)
    gradient = gradients(last, found['loss_focus'])
    for name, value in gradients(plain, expected['loss_focus']).items():
        torch.testing.assert_close(gradient[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('reentrant', [True, False])
def test_checkpointed_blocks_before_the_map_give_the_same_gradient(reentrant):
    from torch.utils.checkpoint import checkpoint

    plain, saving = build(), build()
    for layer in saving.backbone.layers:
        run = layer.forward
        layer.forward = lambda x, run=run: checkpoint(run, x, use_reentrant=reentrant)
    torch.testing.assert_close(
        gradients(saving, losses_of(saving)['loss_focus']),
        gradients(plain, losses_of(plain)['loss_focus']),
    )


def test_accumulated_halves_step_as_the_whole_batch():
    guided = (True, False, True, True)
    stepped = []
    for halves in (1, 2):
        model = build()
        wrapper = OptimWrapper(
            torch.optim.SGD(model.parameters(), lr=1.0), accumulative_counts=halves
        )
        for part in np.split(np.arange(4), halves):
            data = {
                key: [value[i] for i in part] for key, value in batch(guided).items()
            }
            wrapper.update_params(losses_of(model, data)['loss_focus'])
        stepped.append(model.state_dict())
    torch.testing.assert_close(*stepped)


def test_averaged_copy_has_a_hook_of_its_own_and_the_loss_of_its_weights():
    model, same, alone = build(), build(), build()
    average = ExponentialMovingAverage(model, momentum=0.5)
    average.update_parameters(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    average.update_parameters(model)
    same.load_state_dict(average.module.state_dict())  # the stock model's keys
    ours, theirs = losses_of(average.module), losses_of(model)
    assert numbers(ours) == numbers(losses_of(same)) != numbers(theirs)
    with torch.no_grad():
        for parameter in alone.parameters():
            parameter.mul_(1.5)
    assert numbers(theirs) == numbers(losses_of(alone))  # as without an average
    torch.testing.assert_close(
        gradients(model, theirs['loss_focus']),
        gradients(alone, losses_of(alone)['loss_focus']),
        rtol=0,
        atol=0,
    )
