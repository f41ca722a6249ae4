"""What a module gave is captured as it was, with gradients, or an error says why."""

import pytest
import timm
import torch
from random_images import images
from torch import nn
from torch.utils.checkpoint import checkpoint

from cfcn_plugin.features import Capture, FeatureHook


def test_capture_of_an_input_is_the_first_argument(net):
    capture = Capture(net.fc, side='input')
    with capture:
        net(images())
        assert capture.raw.shape == (2, 5)


def test_gradients_of_a_score_are_those_in_the_maps(net):
    inputs = images()
    with FeatureHook(['early', 'late']).attach(net) as hook:
        score = net(inputs)[:, 1]
        gradients, maps = hook.captured().gradients(inputs), hook.take(inputs)
    early, late = gradients(score)
    # late is pooled by a mean over 8 x 8 cells, then weighed
    expected = (net.fc.weight[1] / 64).view(1, -1, 1, 1).expand_as(maps[1])
    torch.testing.assert_close(late, expected)
    assert early.shape == maps[0].shape and not early.requires_grad
    assert gradients(score, create_graph=True)[1].requires_grad


@pytest.mark.parametrize('name', ['test_vit', 'swin_tiny_patch4_window7_224'])
def test_gradients_reach_maps_that_are_laid_out_anew(name):
    more = dict(img_size=64) if 'swin' in name else {}
    model = timm.create_model(name, num_classes=2, **more).eval()
    inputs = images(size=model.patch_embed.img_size[0])
    with FeatureHook().attach(model) as hook:
        score = model(inputs)[:, 0]
        gradients, activation = hook.captured().gradients(inputs), hook.take(inputs)
    (gradient,) = gradients(score)
    assert gradient.shape == activation.shape
    with pytest.raises(RuntimeError, match='not .*been used'):
        torch.autograd.grad(score.sum(), activation, retain_graph=True)


def test_map_that_has_no_part_in_the_score_has_no_gradient(net):
    inputs = images()
    with FeatureHook('early').attach(net) as hook:
        net(inputs)
        gradients = hook.captured().gradients(inputs)
    with pytest.raises(RuntimeError, match="'early': the class score has no gradient"):
        gradients(torch.ones(2, requires_grad=True))


# ---- maps that the network changes in place --------------------------------


class Residual(nn.Module):
    """A convolution whose map is rectified and added to."""

    def __init__(self, inplace):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.drop = nn.Dropout2d(0.0, inplace)
        self.fc = nn.Linear(4, 2)
        self.inplace = inplace

    def forward(self, x):
        identity = self.relu(self.first(x))
        x = self.second(identity)
        if self.inplace:
            x += identity
        else:
            x = x + identity
        return self.fc(self.drop(self.relu(x)).mean((2, 3)))


@pytest.fixture
def pair():
    """A network that changes its maps in place, and one that does not."""
    changing, safe = Residual(True), Residual(False)
    safe.load_state_dict(changing.state_dict())
    return changing, safe


def map_and_gradients(net, target):
    hook, inputs = FeatureHook(target).attach(net), images()
    with hook:
        scores = net(inputs)
        activation, captured = hook.take(inputs), hook.captured()
    hook.detach()
    (in_map,) = captured.gradients(inputs)(scores[:, 0])
    net.zero_grad()
    (activation.square().sum() + scores.sum()).backward()
    return [activation, in_map, *(p.grad.clone() for p in net.parameters())]


@pytest.mark.parametrize('target', ['first', 'second', 'relu'])
def test_map_is_what_the_module_gave_and_not_what_the_network_made_of_it(pair, target):
    found, expected = (map_and_gradients(net, target) for net in pair)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    'mode', [torch.enable_grad, torch.no_grad, torch.inference_mode]
)
@pytest.mark.parametrize('training', [True, False])
def test_changed_map_is_right_in_each_pass_and_mode(pair, mode, training):
    changing, safe = (net.train(training) for net in pair)
    hook = FeatureHook('second').attach(changing)
    for seed in range(3):
        inputs = images(seed=seed)
        with mode(), hook:
            changing(inputs)
            torch.testing.assert_close(
                hook.take(inputs), safe.second(safe.first(inputs).relu())
            )


def test_changed_map_is_right_where_the_network_is_compiled(pair):
    changing, safe = pair
    hook, inputs = FeatureHook('second').attach(changing), images()
    with hook:
        torch.compile(changing, backend='aot_eager')(inputs)
        activation = hook.take(inputs)
    torch.testing.assert_close(activation, safe.second(safe.first(inputs).relu()))
    activation.sum().backward()
    assert changing.second.weight.grad.abs().sum() > 0


def test_map_that_is_not_changed_is_copied_in_the_first_pass_alone(net):
    hook = FeatureHook('late').attach(net)
    copied = []
    for seed in range(3):
        with hook:
            net(images(seed=seed))
            copied.append(hook.captures[0].kept.copy is not None)
            assert hook.take(images()) is hook.captures[0].raw
    assert copied == [True, False, False]


def test_map_that_is_changed_in_a_later_pass_alone_is_an_error_once(pair):
    changing, safe = pair
    hook, inputs = FeatureHook('second').attach(changing), images()
    changing.inplace = changing.relu.inplace = False
    with hook:
        changing(inputs)
        hook.take(inputs)
        changing.inplace = True
        changing(inputs)
        with pytest.raises(RuntimeError, match="'second': the network has changed"):
            hook.take(inputs)
        changing(inputs)
        torch.testing.assert_close(
            hook.take(inputs), safe.second(safe.first(inputs).relu())
        )


@pytest.mark.parametrize(
    'model, target',
    [
        ('resnet10t', 'layer4.0.bn2'),
        ('resnet10t', 'layer4.0.bn1'),
        ('mobilenetv2_035', 'blocks.6.0.conv_pwl'),
    ],
)
def test_map_of_a_timm_module_is_its_output(model, target):
    net = timm.create_model(model, num_classes=2).eval()
    outputs, inputs = [], images(size=64)
    net.get_submodule(target).register_forward_hook(
        lambda module, args, output: outputs.append(output.clone())
    )
    hook = FeatureHook(target).attach(net)
    with torch.no_grad(), hook:
        net(inputs)
        torch.testing.assert_close(hook.take(inputs), outputs[0], rtol=0, atol=0)


# ---- maps that cannot be used --------------------------------------------------


def test_target_that_was_not_run_is_an_error(net):
    hook = FeatureHook('unused').attach(net)
    with hook:
        net(images())
        with pytest.raises(RuntimeError, match="'unused' was not run"):
            hook.take(images())


def test_target_without_a_map_is_an_error(net):
    hook = FeatureHook('fc').attach(net)
    with hook:
        net(images())
        with pytest.raises(ValueError, match=r"'fc' gives no spatial map.*\(2, 2\)"):
            hook.take(images())


def test_target_that_sees_another_batch_is_an_error(net):
    hook = FeatureHook('late').attach(net)
    with hook:
        net(images(batch=4))
        with pytest.raises(RuntimeError, match="'late' gives 4 maps for 2 images"):
            hook.take(images(batch=2))


class ChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1)


@pytest.mark.parametrize(
    'options, shape',
    [
        (dict(), (4, 16, 16)),  # the order that has the image's proportions
        (dict(channels_last=True), (4, 16, 16)),
        (dict(channels_last=False), (16, 16, 4)),
    ],
)
def test_named_map_lies_in_the_images_proportions_unless_it_is_said(
    net, options, shape
):
    net.last = ChannelsLast()
    net.forward = lambda x: net.last(net.early(x))
    hook = FeatureHook('last', **options).attach(net)
    with hook:
        net(images())
        assert hook.take(images()).shape[1:] == shape


def test_map_in_no_order_in_proportion_is_an_error_until_it_is_said(net):
    net.last = nn.Flatten(3)
    net.forward = lambda x: net.last(net.early(x)[..., :8])
    hook = FeatureHook('last').attach(net)
    with hook:
        net(images())
        with pytest.raises(
            ValueError,
            match=r"target 'last' gives maps of height and "
            r'width \(16, 8\) for images of \(32, 32\).*'
            '`channels_last`.*taken for False',
        ):
            hook.take(images())


# ---- graphs ----------------------------------------------------------------


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.reentrant = reentrant
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.stage = nn.Sequential(nn.Conv2d(4, 5, 3, padding=1), nn.Tanh())

    def forward(self, x):
        x = self.stem(x)
        if self.reentrant is None:
            return self.stage(x)
        return checkpoint(self.stage, x, use_reentrant=self.reentrant)


def checkpointed(reentrant, target='stage.0'):
    torch.manual_seed(0)
    model = Checkpointed(reentrant)
    return model, FeatureHook(target).attach(model)


def test_reentrant_checkpointing_of_a_trained_backbone_is_an_error():
    model, hook = checkpointed(reentrant=True)
    with hook:
        model(images())
        with pytest.raises(RuntimeError, match=r"'stage\.0'.*without a graph.*with_cp"):
            hook.take(images(), trainable=True)


def test_graph_is_not_asked_of_a_frozen_backbone_or_without_gradients():
    model, hook = checkpointed(reentrant=True)
    with hook:
        model(images())
        assert not hook.take(images(), trainable=False).requires_grad
        with torch.no_grad():
            hook.take(images(), trainable=True)


@pytest.mark.parametrize(
    'target, reentrant',
    [
        ('stage.0', False),
        ('stage.1', False),
        (
            'stage.1',
            True,
        ),  # what a checkpoint gives has a graph, what is inside has none
        ('stage', True),
        ('stem', True),
    ],
)
def test_checkpointing_that_keeps_the_graph_keeps_the_gradient(target, reentrant):
    gradients = []
    for how in (None, reentrant):
        model, hook = checkpointed(how, target)
        with hook:
            model(images())
            activation = hook.take(images(), trainable=True)
        activation.square().sum().backward()
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    torch.testing.assert_close(*gradients)
