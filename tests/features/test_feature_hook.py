"""The mechanism: what is captured, when, and what is left behind."""

import copy
import pickle

import pytest
import timm
import torch
from mmpretrain.registry import MODELS
from torch import nn
from torch.utils.checkpoint import checkpoint

import cfcn_plugin.mm  # noqa: F401  (registers our classes)
from cfcn_plugin.features import Capture, FeatureHook, last_stage_activation
from cfcn_plugin.features.kept_value import KeptValue


def images(batch=2, size=32, seed=0):
    return torch.randn(
        batch, 3, size, size, generator=torch.Generator().manual_seed(seed)
    )


def hooks_on(model):
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()
    )


def plain_net():
    """Two maps of known names; no layout is known for it."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.early = nn.Conv2d(3, 4, 3, stride=2, padding=1)
            self.late = nn.Conv2d(4, 5, 3, stride=2, padding=1)
            self.unused = nn.Conv2d(4, 5, 1)
            self.fc = nn.Linear(5, 2)

        def forward(self, x):
            return self.fc(self.late(self.early(x).relu()).mean((2, 3)))

    torch.manual_seed(0)
    return Net()


@pytest.fixture(scope='module')
def resnet():
    return timm.create_model('resnet10t', pretrained=False, num_classes=2).eval()


@pytest.fixture
def net():
    return plain_net()


# ---- last_stage_activation -------------------------------------------------


@pytest.mark.parametrize('training', [True, False])
def test_last_stage_activation_keeps_the_mode(resnet, training):
    model = copy.deepcopy(resnet).train(training)
    model.layer1.eval()  # a frozen part
    modes = [m.training for m in model.modules()]
    last_stage_activation(model, images())
    assert [m.training for m in model.modules()] == modes


def test_map_in_training_has_a_graph_to_the_first_layer(resnet):
    model = copy.deepcopy(resnet).train()
    last_stage_activation(model, images()).sum().backward()
    assert model.conv1[0].weight.grad.abs().sum() > 0


def test_map_without_gradients_has_no_graph(resnet):
    with torch.no_grad():
        assert not last_stage_activation(resnet, images()).requires_grad


def test_nothing_is_left_behind_after_an_exception_in_the_model(resnet):
    model = copy.deepcopy(resnet)
    with pytest.raises(RuntimeError):
        last_stage_activation(model, torch.zeros(2, 7, 32, 32))
    assert hooks_on(model) == 0


def test_nothing_is_left_behind_after_an_exception_behind_the_map(resnet):
    model = copy.deepcopy(resnet)
    model.fc = nn.Linear(3, 3)  # does not fit
    with pytest.raises(RuntimeError):
        last_stage_activation(model, images())
    assert hooks_on(model) == 0


def test_foreign_hooks_stay(resnet):
    model = copy.deepcopy(resnet)
    model.global_pool.register_forward_pre_hook(lambda module, args: None)
    last_stage_activation(model, images())
    assert hooks_on(model) == 1


# ---- arming ----------------------------------------------------------------


def test_unarmed_hook_keeps_nothing(net):
    hook = FeatureHook('late').attach(net)
    net(images())
    assert hook.captures[0].raw is None
    with pytest.raises(RuntimeError, match="'late' was not run"):
        hook.take(images())


@pytest.mark.parametrize('fails', [False, True])
def test_hook_forgets_and_disarms_at_the_end_of_its_block(net, fails):
    hook = FeatureHook('late').attach(net)
    try:
        with hook:
            net(images())
            assert hook.captures[0].raw is not None
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert hook.captures[0].raw is None
    assert not hook.captures[0].armed


def test_hook_takes_the_map_of_its_own_forward_pass(net):
    hook = FeatureHook('late').attach(net)
    with hook:
        for seed in (0, 1):
            inputs = images(seed=seed)
            net(inputs)
            torch.testing.assert_close(
                hook.take(inputs), net.late(net.early(inputs).relu())
            )


def test_blocks_nest(net):
    hook = FeatureHook('late').attach(net)
    with hook:
        net(images(seed=0))
        before = hook.captures[0].raw
        with hook:
            net(images(seed=1))
        assert hook.captures[0].raw is before
        with pytest.raises(KeyError), hook:
            raise KeyError
        assert hook.captures[0].raw is before
        assert hook.captures[0].armed
        net(images(seed=2))
        assert hook.captures[0].raw is not before
    assert hook.captures[0].raw is None
    assert not hook.captures[0].armed


def test_capture_of_an_input_is_the_first_argument(net):
    capture = Capture(net.fc, side='input')
    with capture:
        net(images())
        assert capture.raw.shape == (2, 5)


# ---- what it does to a model -----------------------------------------------


def test_hook_leaves_state_dict_and_modules_alone(net):
    keys, modules = list(net.state_dict()), [n for n, _ in net.named_modules()]
    net.feature_hook = FeatureHook(['early', 'late']).attach(net)
    assert list(net.state_dict()) == keys
    assert [n for n, _ in net.named_modules()] == modules


def test_hook_changes_no_output(net):
    expected = net(images())
    with FeatureHook('late').attach(net):
        assert torch.equal(net(images()), expected)


def test_detached_hook_is_gone(net):
    hook = FeatureHook(['early', 'late']).attach(net)
    assert hooks_on(net) == 2
    hook.detach()
    assert hooks_on(net) == 0
    hook.detach()  # once more is no error


@pytest.mark.parametrize('clone', [
    copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))
], ids=['deepcopy', 'pickle'])  # yapf: disable
def test_copied_model_has_a_hook_of_its_own(resnet, clone):
    original = copy.deepcopy(resnet)
    original.feature_hook = FeatureHook().attach(original)
    with original.feature_hook:  # a hook that was used copies too
        original(images())
    baseline = clone(original)

    with baseline.feature_hook, torch.no_grad():
        original(images())
        assert baseline.feature_hook.captures[0].raw is None
        baseline(images())
        activation = baseline.feature_hook.take(images())
        assert original.feature_hook.captures[0].raw is None
    with torch.no_grad():
        torch.testing.assert_close(activation, baseline.forward_features(images()))
    baseline.feature_hook.detach()
    assert (hooks_on(original), hooks_on(baseline)) == (1, 0)


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


# ---- targets ---------------------------------------------------------------


def test_list_of_targets_gives_a_tuple_in_its_order(net):
    hook = FeatureHook(['late', 'early']).attach(net)
    with hook:
        net(images())
        maps = hook.take(images())
    assert [tuple(m.shape) for m in maps] == [(2, 5, 8, 8), (2, 4, 16, 16)]


def test_list_of_one_target_gives_a_tuple(net):
    hook = FeatureHook(['late']).attach(net)
    with hook:
        net(images())
        assert isinstance(hook.take(images()), tuple)


def test_auto_can_be_one_of_several(resnet):
    hook = FeatureHook(['layer2', 'auto']).attach(resnet)
    try:
        with hook, torch.no_grad():
            resnet(images(size=64))
            early, last = hook.take(images(size=64))
        assert early.shape == (2, 128, 8, 8)
        torch.testing.assert_close(last, resnet.forward_features(images(size=64)))
    finally:
        hook.detach()


def test_named_module_lies_as_the_last_map_does():
    model = timm.create_model('vit_tiny_patch16_224', img_size=(64, 96), depth=2).eval()
    hook = FeatureHook('blocks.0').attach(model)
    inputs = torch.randn(1, 3, 64, 96)
    with hook, torch.no_grad():
        model(inputs)
        tokens = hook.captures[0].raw
        activation = hook.take(inputs)
    torch.testing.assert_close(
        activation, tokens[:, 1:].transpose(1, 2).reshape(1, 192, 4, 6)
    )


def test_options_say_how_a_named_module_lies():

    class Lies(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Identity()

        def forward(self, x):
            return self.last(x.permute(0, 2, 3, 1)), self.last(
                torch.cat([x.new_zeros(len(x), 2, 3), x.flatten(2).transpose(1, 2)], 1)
            )

    model, inputs = Lies(), images(size=4)
    hook = FeatureHook('last', channels_last=True, prefix_tokens=2).attach(model)
    with hook:
        nhwc, tokens = model(inputs)
        for raw in (nhwc, tokens):
            hook.captures[0].kept = KeptValue(raw, (True, True))
            torch.testing.assert_close(hook.take(inputs), inputs)


def test_target_that_does_not_exist_lists_those_that_do(net):
    with pytest.raises(
        ValueError,
        match="'layer9' does not exist in Net: there are: early, late, unused, fc",
    ):
        FeatureHook('layer9').attach(net)
    assert hooks_on(net) == 0


def test_one_wrong_target_of_several_attaches_none(net):
    with pytest.raises(ValueError, match='layer9'):
        FeatureHook(['late', 'layer9']).attach(net)
    assert hooks_on(net) == 0


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


@pytest.mark.parametrize('target', [[], 3, ['late', 3], None])
def test_target_that_is_no_name_is_an_error(target):
    with pytest.raises(TypeError, match='`target` must be'):
        FeatureHook(target)


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


def swin_with_class_maps(target):
    model = MODELS.build(
        dict(
            type='GuidedClassifier',
            backbone=dict(
                type='GuidedTIMMBackbone',
                img_size=64,
                model_name='swin_tiny_patch4_window7_224',
            ),
            head=dict(type='CausalFocusHead', num_classes=2),
            feature_hook=dict(type='FeatureHook', target=target),
        )
    )
    with model.feature_hook, torch.no_grad():
        model(images(size=64))
        return model.feature_hook.take(images(size=64))


@pytest.mark.parametrize(
    'target, shape',
    [
        (
            'backbone.timm_model.layers.2',
            (4, 4),
        ),  # channels last, as this backbone's map
        ('backbone.timm_model.patch_embed.proj', (16, 16)),  # a convolution's are not
        ('head.conv', (2, 2)),
    ],
)
def test_named_map_has_its_own_layout_whatever_the_head_is(target, shape):
    assert swin_with_class_maps(target).shape[-2:] == shape


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
