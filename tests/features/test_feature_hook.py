"""The mechanism: what is captured, when, and what is left behind."""

import copy
import pickle

import pytest
import timm
import torch
from mmpretrain.registry import MODELS
from random_images import images
from torch import nn

import cfcn_plugin.mm  # noqa: F401  (registers our classes)
from cfcn_plugin.features import FeatureHook, last_stage_activation
from cfcn_plugin.features.kept_value import KeptValue


def hooks_on(model):
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()
    )


@pytest.fixture(scope='module')
def resnet():
    return timm.create_model('resnet10t', pretrained=False, num_classes=2).eval()


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


@pytest.mark.parametrize(
    'clone',
    [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=['deepcopy', 'pickle'],
)
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


@pytest.mark.parametrize('target', [[], 3, ['late', 3], None])
def test_target_that_is_no_name_is_an_error(target):
    with pytest.raises(TypeError, match='`target` must be'):
        FeatureHook(target)


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
