"""Small models of each way in which torchvision pools; all are in the sweep."""

import subprocess
import sys

import pytest
import torch
import torchvision.models as zoo
from references import compare, corners, pooled_reference
from torch import nn
from torchvision.models.convnext import CNBlockConfig

from cfcn_plugin.features import FeatureHook, last_stage_activation

HEIGHT, WIDTH = IMAGE = (64, 96)
MODELS = {
    'resnet': lambda: zoo.resnet18(num_classes=3),
    'densenet': lambda: zoo.DenseNet(8, (1, 1, 1, 1), 16),
    'squeezenet': lambda: zoo.squeezenet1_1(num_classes=3),
    'mobilenet_v2': lambda: zoo.mobilenet_v2(width_mult=0.25),
    'mnasnet': lambda: zoo.MNASNet(0.25),
    'shufflenet': lambda: zoo.shufflenet_v2_x0_5(),
    'convnext': lambda: zoo.ConvNeXt(
        [CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)]
    ),
    'swin': lambda: zoo.SwinTransformer([4, 4], 12, [1, 1], [1, 1], [4, 4]),
    'maxvit': lambda: zoo.MaxVit((64, 64), 8, 4, [8, 16], [1, 1], 4, 0.0),
    'vit': lambda: zoo.VisionTransformer(64, 16, 2, 2, 12, 24, num_classes=3),
}


def build(name):
    torch.manual_seed(0)
    return MODELS[name]().eval()


def images(size=IMAGE):
    return torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))


def taken(model, target, **options):
    hook = FeatureHook(target, **options).attach(model)
    with hook:
        model(images())
        activation = hook.take(images())
    hook.detach()
    return activation


@pytest.mark.parametrize('name', MODELS)
def test_map_is_what_the_pooling_receives(name):
    model, inputs = build(name), images((64, 64) if 'vit' in name else IMAGE)
    activation = last_stage_activation(model, inputs.requires_grad_())

    assert compare(activation, pooled_reference(model, inputs)) == 'equal'
    assert corners(activation, inputs) == 4
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize('make, size', [(zoo.inception_v3, 299), (zoo.googlenet, 64)])
def test_map_of_a_model_with_auxiliary_scores_has_a_graph_in_training(make, size):
    model = make(num_classes=3, init_weights=False).train()
    last_stage_activation(model, images((size, size))).sum().backward()
    assert next(model.parameters()).grad.any()


def test_subclass_with_another_classifier_is_known():

    class Mine(zoo.ResNet):
        pass

    model = Mine(zoo.resnet.BasicBlock, [1, 1, 1, 1])
    model.fc = nn.Identity()
    assert last_stage_activation(model, images()).shape == (2, 512, 2, 3)


def test_squeezenet_with_a_classifier_that_pools_nothing_gives_its_features():
    model = build('squeezenet')
    model.classifier = nn.Flatten()
    assert last_stage_activation(model, images()).shape == (2, 512, 3, 5)


@pytest.mark.slow
@pytest.mark.parametrize('compiled', [False, True])
def test_densenet_is_guided_behind_its_in_place_relu(compiled):
    model, inputs = build('densenet'), images()
    hook = FeatureHook().attach(model)
    forward = torch.compile(model, backend='aot_eager') if compiled else model
    for _ in range(2):
        with hook:
            scores = forward(inputs)
            activation = hook.take(inputs)
        assert activation.min() == 0
        torch.testing.assert_close(model.classifier(activation.mean((2, 3))), scores)


def test_gradient_in_the_map_of_densenet_is_that_of_the_mean():
    model, inputs = build('densenet'), images()
    hook = FeatureHook().attach(model)
    with hook:
        scores = model(inputs)
        captured = hook.captured()
    (gradient,) = captured.gradients(inputs)(scores[:, 0])
    expected = model.classifier.weight[0].detach()[None, :, None, None] / (2 * 3)
    torch.testing.assert_close(gradient, expected.expand_as(gradient))


@pytest.mark.parametrize(
    'target, shape',
    [('layer4', (512, 2, 3)), ('layer2', (128, 8, 12)), ('layer2.0.bn1', (128, 8, 12))],
)
def test_named_map_of_a_resnet(target, shape):
    assert taken(build('resnet'), target).shape[1:] == shape


@pytest.mark.parametrize(
    'target, shape',
    [
        ('features.0.0', (12, 16, 24)),
        ('features.1', (12, 16, 24)),
        ('norm', (24, 8, 12)),
        ('features.2', (24, 8, 12)),
        ('permute', (24, 8, 12)),
    ],
)
def test_named_map_of_swin_lies_either_way(target, shape):
    assert taken(build('swin'), target).shape[1:] == shape


def test_lookup_imports_no_package_of_models():
    code = (
        'import sys, torch, cfcn_plugin\n'
        'model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1))\n'
        'cfcn_plugin.FeatureHook("0").attach(model)\n'
        'try: cfcn_plugin.last_stage_activation(model, torch.zeros(1, 3, 2, 2))\n'
        'except ValueError: pass\n'
        'print({"timm", "torchvision", "transformers", "mmpretrain", "peft"}'
        ' & set(sys.modules))'
    )
    found = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert found.stdout.strip() == 'set()', found.stderr
