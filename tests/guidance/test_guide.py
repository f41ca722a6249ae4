"""Guidance of any torch model in a plain loop, and what a guide leaves behind."""

import copy
import gc
import pickle
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cfcn_plugin.features import FeatureHook
from cfcn_plugin.functional import causal_focus_loss
from cfcn_plugin.guidance import (
    ActDiffLoss,
    CausalFocusLoss,
    ConsistencyLoss,
    ExplanationLoss,
    GAINLoss,
    Guidance,
    Guide,
    LiteralFocusLoss,
    MaskBatch,
    RightReasonsLoss,
    UniformContextLoss,
)

METHODS = (
    ActDiffLoss,
    CausalFocusLoss,
    ExplanationLoss,
    GAINLoss,
    LiteralFocusLoss,
    RightReasonsLoss,
    UniformContextLoss,
)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU()
        )
        self.fc = nn.Linear(4, 3)

    def forward(self, images):
        return self.fc(self.features(images).mean((2, 3)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


def images():
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


LABELS = torch.tensor([0, 2])


def masks():
    mask = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    mask[..., :4] = 1
    return MaskBatch(mask, None, torch.tensor([True, False]))


def hook(target='features'):
    return FeatureHook(target)


def step(guide, inputs=None):
    inputs = guide.prepare(images() if inputs is None else inputs)
    with guide:
        logits = guide.model(inputs)
    return inputs, logits


@pytest.mark.parametrize('method', METHODS)
def test_every_method_trains_in_a_plain_loop(method, net):
    guide = Guide(net, method(), hook())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(2):
        inputs, logits = step(guide)
        guidance = guide.loss(inputs, logits, LABELS, masks())
        optimizer.zero_grad()
        (F.cross_entropy(logits, LABELS) + guidance).backward()
        optimizer.step()
    assert guidance.isfinite() and guidance > 0


def test_terms_of_several_methods_are_those_of_each(net):
    together = Guide(net, [CausalFocusLoss(), ActDiffLoss(context='zero')], hook())
    terms = together.terms(*step(together), LABELS, masks())
    together.feature_hook.detach()
    for method in (CausalFocusLoss(), ActDiffLoss(context='zero')):
        alone = Guide(net, method, hook())
        for key, value in alone.terms(*step(alone), LABELS, masks()).items():
            torch.testing.assert_close(terms[key], value)


def test_the_loss_is_the_equation_times_the_weight(net):
    guide = Guide(net, CausalFocusLoss(2.0), hook())
    guide.weight = 0.25
    found = guide.loss(*step(guide), LABELS, masks())
    expected = causal_focus_loss(
        net.features(images()), masks().mask, guided=masks().guided
    )
    torch.testing.assert_close(found, 0.25 * 2 * expected)


def test_a_factor_scales_losses_and_not_what_is_logged(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    guide.weight = 0.0
    terms = guide.terms(*step(guide), LABELS, masks())
    assert terms['loss_focus'] == 0 and terms['focus'] > 0


def test_a_guide_adds_no_parameter_and_its_hooks_can_be_removed(net):
    keys = list(net.state_dict())
    guide = Guide(net, CausalFocusLoss(), hook())
    assert list(net.state_dict()) == keys
    guide.feature_hook.detach()
    assert not any(m._forward_hooks for m in net.modules())


def test_other_passes_leave_statistics_of_batch_norm_alone(net):
    guide = Guide(net, [GAINLoss(), ActDiffLoss()], hook())
    inputs, logits = step(guide)
    before = copy.deepcopy(net.state_dict())
    guide.loss(inputs, logits, LABELS, masks())
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize('method', [ActDiffLoss, ConsistencyLoss, GAINLoss])
def test_images_that_the_model_changes_are_not_run_once_more(method, net):
    net.forward = lambda x: Net.forward(net, x.mul_(2))
    guide = Guide(net, method(), hook())
    inputs, logits = step(guide)
    with pytest.raises(RuntimeError, match='changed its images in place.*clone'):
        guide.loss(inputs, logits, LABELS, masks())
    net.forward = lambda x: Net.forward(net, x.clone().mul_(2))
    inputs, logits = step(guide)
    assert guide.loss(inputs, logits, LABELS, masks()).isfinite()


def test_each_pass_is_used_once(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    inputs, logits = step(guide)
    guide.loss(inputs, logits, LABELS, masks())
    with pytest.raises(RuntimeError, match='run the model inside `with guide:`'):
        guide.loss(inputs, logits, LABELS, masks())


def test_a_pass_outside_of_the_block_is_told(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    with pytest.raises(RuntimeError, match='run the model inside `with guide:`'):
        guide.loss(images(), net(images()), LABELS, masks())
    with guide:
        pass
    with pytest.raises(RuntimeError, match="target 'features' was not run"):
        guide.loss(images(), net(images()), LABELS, masks())


def test_the_last_of_several_passes_is_guided(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    expected = guide.loss(*step(guide), LABELS, masks())
    step(guide, torch.zeros(2, 3, 8, 8))
    torch.testing.assert_close(guide.loss(*step(guide), LABELS, masks()), expected)
    with guide:
        net(torch.zeros(2, 3, 8, 8))
        logits = net(images())
    torch.testing.assert_close(guide.loss(images(), logits, LABELS, masks()), expected)


def test_a_block_inside_of_itself_is_told_and_the_next_one_works(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    with pytest.raises(RuntimeError, match='leave the outer block first'), guide, guide:
        pass
    assert guide.loss(*step(guide), LABELS, masks()) > 0


def test_a_guide_that_was_removed_says_so(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    guide.remove()
    with pytest.raises(RuntimeError, match='no longer on the model.*make a new Guide'):
        step(guide)


def test_nothing_is_kept_of_a_pass_that_failed(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    with pytest.raises(ZeroDivisionError), guide:
        net(images())
        raise ZeroDivisionError
    assert all(c.raw is None and not c.armed for c in guide.feature_hook.captures)
    with pytest.raises(RuntimeError, match='no forward pass was captured'):
        guide.loss(images(), net(images()), LABELS, masks())


@pytest.mark.parametrize(
    'clone',
    [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))],
    ids=['deepcopy', 'pickle'],
)
def test_a_copy_guides_the_copy_of_the_model(clone, net):
    guide = Guide(net, CausalFocusLoss(), hook())
    expected = guide.loss(*step(guide), LABELS, masks())
    other = clone(guide)
    with torch.no_grad():
        net.features[0].bias.add_(5)
    assert other.model is not net
    torch.testing.assert_close(other.loss(*step(other), LABELS, masks()), expected)


def test_maps_without_a_graph_are_refused_where_the_module_is_trained(net):
    net.features.requires_grad_(False)
    guide = Guide(net, CausalFocusLoss(), hook())
    with pytest.raises(RuntimeError, match='without a graph'):
        guide.loss(*step(guide), LABELS, masks())
    frozen = Guide(net, CausalFocusLoss(), hook(), trained=net.features)
    assert frozen.loss(*step(frozen), LABELS, masks()) > 0


def test_methods_with_parameters_are_refused(net):

    class Learned(Guidance):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

    with pytest.raises(ValueError, match='parameters of its own'):
        Guide(net, [CausalFocusLoss(), Learned()], hook())


def test_a_bare_timm_model_needs_no_target():
    timm = pytest.importorskip('timm')
    model = timm.create_model('resnet10t', num_classes=3)
    guide = Guide(model, CausalFocusLoss())
    inputs = torch.rand(2, 3, 64, 64)
    with guide:
        logits = model(inputs)
    mask = torch.ones(2, 1, 64, 64, dtype=torch.uint8)
    given = MaskBatch(mask, None, torch.tensor([True, True]))
    guide.loss(inputs, logits, LABELS, given).backward()
    assert model.conv1[0].weight.grad is not None


def test_without_a_method_a_loop_trains_the_baseline(net):
    guide = Guide(net, None, hook())
    inputs, logits = step(guide)
    assert guide.terms(inputs, logits, LABELS, masks()) == {}
    inputs, logits = step(guide)
    assert guide.loss(inputs, logits, LABELS, masks()) == 0


def test_buffers_of_a_method_follow_the_images_to_their_device(net):

    class Blurred(Guidance):
        def __init__(self):
            super().__init__()
            self.register_buffer('kernel', torch.ones(3), persistent=False)

        def forward(self, batch):
            return dict(loss_blurred=batch.logits.mean() * self.kernel.sum())

    guide = Guide(net.to('meta'), Blurred(), hook())
    guided = masks()
    given = MaskBatch(guided.mask.to('meta'), None, guided.guided.to('meta'))
    found = guide.loss(*step(guide, images().to('meta')), LABELS.to('meta'), given)
    assert found.device.type == 'meta'


def test_a_method_without_masks_is_an_error_that_says_what_to_give(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    with pytest.raises(ValueError, match='guidance got no masks.*MaskBatch'):
        guide.loss(*step(guide), LABELS, None)


@pytest.mark.parametrize(
    'wrong,error,message',
    [
        (lambda right: right.mask, TypeError, 'must be a MaskBatch, got Tensor'),
        (
            lambda right: MaskBatch(right.mask.numpy(), None, right.guided),
            TypeError,
            '`masks.mask` must be a tensor, got ndarray',
        ),
        (
            lambda right: MaskBatch(right.mask, None, None),
            TypeError,
            '`masks.guided` must be a tensor, got NoneType',
        ),
        (
            lambda right: MaskBatch(right.mask[:, 0], None, right.guided),
            ValueError,
            r'must have shape \(2, K, H, W\).*got \(2, 8, 8\)',
        ),
        (
            lambda right: MaskBatch(right.mask[:1], None, right.guided),
            ValueError,
            r'must have shape \(2, K, H, W\).*got \(1, 1, 8, 8\)',
        ),
    ],
)
def test_masks_of_another_type_or_shape_are_refused(net, wrong, error, message):
    guide = Guide(net, CausalFocusLoss(), hook())
    with guide:
        logits = net(images())
    with pytest.raises(error, match=message):
        guide.loss(images(), logits, LABELS, wrong(masks()))


def test_masks_on_another_device_or_of_another_size_are_told_what_to_do(net):
    guide = Guide(net, CausalFocusLoss(), hook())
    elsewhere = masks().to('meta')
    with pytest.raises(ValueError, match=r'are on meta, images on cpu: write masks'):
        guide.loss(*step(guide), LABELS, elsewhere)
    small = MaskBatch(masks().mask[..., :4, :4], None, masks().guided)
    with pytest.raises(ValueError, match=r'height and width \(4, 4\), its images \(8'):
        guide.loss(*step(guide), LABELS, small)


@dataclass
class Output:
    """As transformers' ImageClassifierOutput."""

    logits: torch.Tensor


@pytest.mark.parametrize('method', [CausalFocusLoss, ActDiffLoss, GAINLoss])
@pytest.mark.parametrize(
    'wrap', [Output, lambda logits: dict(logits=logits)], ids=['object', 'dict']
)
def test_an_output_with_logits_is_as_good_as_the_logits(wrap, method, net):
    plain = Guide(net, method(), hook())
    torch.manual_seed(0)
    expected = plain.loss(*step(plain), LABELS, masks())
    plain.remove()
    net.forward = lambda x: wrap(Net.forward(net, x))
    guide = Guide(net, method(), hook())
    torch.manual_seed(0)
    torch.testing.assert_close(guide.loss(*step(guide), LABELS, masks()), expected)


def test_an_output_without_logits_is_told_what_to_give(net):
    net.forward = lambda x: (Net.forward(net, x), None)
    guide = Guide(net, GAINLoss(), hook())
    with pytest.raises(
        TypeError,
        match=r'got tuple: give guide.loss the tensor, such '
        r'as output\[0\], and give Guide\(forward=',
    ):
        guide.loss(*step(guide), LABELS, masks())
    guide = Guide(net, GAINLoss(), hook(), forward=lambda images: net(images)[0])
    inputs, output = step(guide)
    assert guide.loss(inputs, output[0], LABELS, masks()).isfinite()
    with pytest.raises(TypeError, match=r'got shape \(2, 3, 1\)'):
        guide.loss(inputs, output[0][..., None], LABELS, masks())


@pytest.mark.parametrize('method', METHODS)
def test_one_hot_labels_are_as_good_as_labels(method, net):
    guide = Guide(net, method(), hook())
    found = []
    for target in (LABELS, F.one_hot(LABELS, 3), F.one_hot(LABELS, 3).float()):
        torch.manual_seed(0)
        found.append(guide.loss(*step(guide), target, masks()))
    torch.testing.assert_close(found[1:], found[:1] * 2)


@pytest.mark.parametrize(
    'target,message',
    [
        (torch.zeros(3), r'\(2,\) int64, or scores \(2, 3\), got \(3,\) torch.float32'),
        (torch.zeros(2), r'got \(2,\) torch.float32'),
        (torch.zeros(2, 4), r'got \(2, 4\)'),
        (torch.zeros(2, 1, dtype=torch.int64), r'got \(2, 1\)'),
    ],
)
def test_labels_of_another_shape_are_refused(target, message, net):
    guide = Guide(net, CausalFocusLoss(), hook())
    with pytest.raises(ValueError, match=message):
        guide.loss(*step(guide), target, masks())
    with pytest.raises(TypeError, match='must be a tensor of labels, got list'):
        guide.loss(*step(guide), [0, 2], masks())


def test_a_model_in_evaluation_is_guided_too(net):
    net.eval()
    guide = Guide(net, CausalFocusLoss(), hook())
    guide.loss(*step(guide), LABELS, masks()).backward()
    assert net.features[0].weight.grad.abs().sum() > 0
    with torch.no_grad():
        assert guide.loss(*step(guide), LABELS, masks()) > 0


def test_two_guides_on_one_model_do_not_see_each_other(net):
    alone = Guide(net, CausalFocusLoss(), hook())
    expected = alone.loss(*step(alone), LABELS, masks())
    first = Guide(net, CausalFocusLoss(), hook())
    second = Guide(net, CausalFocusLoss(), hook('features.0'))
    inputs = images()
    with first, second:
        logits = net(inputs)
    torch.testing.assert_close(first.loss(inputs, logits, LABELS, masks()), expected)
    assert second.loss(inputs, logits, LABELS, masks()) != expected
    second.remove()
    with pytest.raises(RuntimeError, match='no forward pass was captured'):
        alone.loss(inputs, logits, LABELS, masks())
    torch.testing.assert_close(first.loss(*step(first), LABELS, masks()), expected)


def test_nothing_is_left_on_the_model_when_the_guide_is_deleted(net):
    guide = Guide(net, [CausalFocusLoss(), GAINLoss()], hook())
    guide.loss(*step(guide), LABELS, masks()).backward()
    del guide
    gc.collect()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_a_feature_hook_can_go_from_one_guide_to_the_next(net):
    shared = hook()
    guide = Guide(net, CausalFocusLoss(), shared)
    guide = Guide(net, CausalFocusLoss(), shared)  # the first one is gone
    gc.collect()
    assert guide.loss(*step(guide), LABELS, masks()) > 0
    assert sum(len(m._forward_hooks) for m in net.modules()) == 1


def test_a_copied_model_has_the_keys_of_the_stock_model_and_is_not_captured(net):
    keys = list(net.state_dict())
    guide = Guide(net, CausalFocusLoss(), hook())
    average = copy.deepcopy(net)  # as of weights' moving averages
    with guide:
        average(images())
        with pytest.raises(RuntimeError, match='was not run'):
            guide.feature_hook.take(images())
    assert list(average.state_dict()) == keys


def test_a_model_or_a_method_of_another_type_is_refused(net):
    with pytest.raises(TypeError, match='`model` must be a torch module, got str'):
        Guide('resnet18', CausalFocusLoss())
    for methods in ('CausalFocusLoss', CausalFocusLoss):
        with pytest.raises(TypeError, match='`methods` must be a Guidance such as'):
            Guide(net, methods)
