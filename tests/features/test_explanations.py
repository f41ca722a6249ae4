"""Explanations by hand, against slow references, and what they leave behind."""

import copy

import numpy as np
import pytest
import torch
from mmpretrain.registry import MODELS
from small_models import small_vit
from torch import nn

import cfcn_plugin.mm  # noqa: F401
from cfcn_plugin.features.explanations import (
    EXPLANATIONS,
    grad_cam,
    input_x_gradient,
    temporary_evaluation,
)

CNN = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4, 6], strides=[1, 2], dropout=0.5),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3, in_channels=None),
)
CFCN_C = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4, 6], strides=[1, 2], dropout=0.0),
    head=dict(type='CausalFocusHead', num_classes=3, mode='class'),
)
VIT = dict(
    type='GuidedTimmClassifier', model_name='test_vit', img_size=64, num_classes=3
)
MM_VIT = small_vit(64, 16)
SWIN = dict(
    type='GuidedTimmClassifier',
    model_name='swin_tiny_patch4_window7_224',
    img_size=64,
    window_size=4,
    embed_dim=8,
    depths=(1, 1),
    num_heads=(1, 2),
    num_classes=3,
)
LABELS = torch.tensor([2, 0, 1])
TARGET = nn.functional.one_hot(LABELS, 3).float()


def build(cfg):
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(cfg)).eval()


def images():
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


class Tiny(nn.Module):
    """Two maps, A_0 = x and A_1 = 3 - x; scores are linear in all their cells."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1)
        self.fc = nn.Linear(8, 2, bias=False)
        with torch.no_grad():
            self.maps.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
            self.maps.bias.copy_(torch.tensor([0.0, 3.0]))
            self.fc.weight.copy_(
                torch.tensor(
                    [
                        # of A_0       of A_1
                        [4.0, 0.0, 0.0, 0.0, -1.0, -1.0, -1.0, -1.0],
                        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0, -4.0],
                    ]
                )
            )

    def forward(self, inputs):
        return self.fc(self.maps(inputs).flatten(1))


TINY = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]], [[[1.0, 1.0], [0.0, 2.0]]]])


def test_grad_cam_by_hand():
    # class 0: channel weights 4/4 = 1 and -1, saliency relu(x - (3 - x));
    # class 1: 0 and (8 - 4)/4 = 1, saliency relu(3 - x)
    explained = grad_cam(Tiny(), TINY, torch.eye(2), layer='maps')
    torch.testing.assert_close(
        explained.saliency,
        torch.tensor([[[0.0, 0.0], [1.0, 3.0]], [[2.0, 2.0], [3.0, 1.0]]]),
    )
    assert explained.covers == (2, 2)


def test_input_x_gradient_by_hand():
    # d score_0 / dx = (4 + 1, 1, 1, 1); d score_1 / dx = (0, 0, -8, 4)
    explained = input_x_gradient(Tiny(), TINY, torch.eye(2))
    torch.testing.assert_close(
        explained.saliency,
        torch.tensor([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 0.0], [0.0, 8.0]]]),
    )


@pytest.mark.parametrize(
    'explain', [lambda *a: grad_cam(*a, layer='maps'), input_x_gradient]
)
def test_target_weights_mix_scores(explain):
    mixed = explain(Tiny(), TINY, torch.tensor([[0.25, 0.75], [0.5, 0.5]])).saliency
    model = Tiny()
    model.fc.weight.data = torch.tensor([[0.25, 0.75], [0.5, 0.5]]) @ model.fc.weight
    torch.testing.assert_close(mixed, explain(model, TINY, torch.eye(2)).saliency)


def test_grad_cam_of_pooled_linear_scores_is_the_class_activation_map():
    model = build(CNN)
    activation = model.backbone(images())[-1].detach()
    weights = model.head.fc.weight[LABELS].detach()
    cam = torch.einsum('bf,bfhw->bhw', weights, activation).relu() / (32 * 32)
    saliency = grad_cam(model, images(), TARGET).saliency
    assert cam.amax() > 0
    torch.testing.assert_close(saliency, cam)


def test_grad_cam_of_class_maps_looks_below_them():
    model = build(CFCN_C)
    activation = model.backbone(images())[-1].detach()
    expected = []
    for one, label in zip(activation, LABELS):
        one = one[None].requires_grad_()
        weight = torch.autograd.grad(model.head((one,))[0, label], one)[0].mean((2, 3))
        expected.append((weight[..., None, None] * one.detach()).sum(1).relu())
    torch.testing.assert_close(
        grad_cam(model, images(), TARGET).saliency, torch.cat(expected)
    )


def listened(model, module, inputs, label):
    """One image's value and gradient of a module's output."""
    kept = []

    def keep(_, __, output):
        output.retain_grad()
        kept.append(output)

    handle = model.get_submodule(module).register_forward_hook(keep)
    model(inputs)[0, label].backward()
    handle.remove()
    return kept[0].detach(), kept[0].grad


def cam_of(activation, grad):
    """(h, w, F) values and gradients, one cell after the other."""
    height, width, channels = activation.shape
    saliency = torch.zeros(height, width)
    for f in range(channels):
        weight = sum(grad[j, k, f] for j in range(height) for k in range(width))
        saliency += weight / (height * width) * activation[..., f]
    return saliency.clamp(min=0)


@pytest.mark.parametrize(
    'cfg,module,prefix',
    [
        (VIT, 'model.blocks.5.norm1', 1),
        (MM_VIT, 'backbone.layers.1.ln1', 1),
        (SWIN, 'model.norm', None),
    ],
    ids=['timm ViT', 'mmpretrain ViT', 'NHWC Swin'],
)
def test_grad_cam_of_transformers_is_the_slow_one(cfg, module, prefix):
    model = build(cfg)
    with torch.no_grad():  # random heads hardly depend on anything
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    saliency = grad_cam(model, images(), TARGET).saliency
    for one, image, label in zip(saliency, images(), LABELS):
        maps = [m[0] for m in listened(model, module, image[None], label)]
        if prefix:
            maps = [m[prefix:].unflatten(0, (4, 4)) for m in maps]
        expected = cam_of(*maps)
        assert expected.amax() > 0
        torch.testing.assert_close(one, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('cfg', [CNN, VIT, SWIN], ids=['CNN', 'ViT', 'Swin'])
def test_input_x_gradient_is_the_slow_one(cfg):
    model = build(cfg)
    saliency = input_x_gradient(model, images(), TARGET).saliency
    for one, image, label in zip(saliency, images(), LABELS):
        leaf = image[None].requires_grad_()
        grad = torch.autograd.grad(model(leaf)[0, label], leaf)[0]
        expected = torch.zeros(64, 64)
        for colour in range(3):
            expected += image[colour].detach() * grad[0, colour]
        torch.testing.assert_close(one, expected.clamp(min=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('method', EXPLANATIONS)
def test_an_image_s_saliency_map_does_not_depend_on_its_batch(method):
    model = build(CNN)
    together = EXPLANATIONS[method](model, images(), TARGET).saliency
    for index in range(3):
        alone = EXPLANATIONS[method](
            model, images()[index : index + 1], TARGET[index : index + 1]
        ).saliency
        torch.testing.assert_close(together[index : index + 1], alone)


def test_patches_that_do_not_cover_the_image_say_so():
    model = nn.Sequential(
        nn.Conv2d(3, 5, 4, stride=4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 3),
    )
    inputs = torch.rand(3, 3, 10, 13)
    assert grad_cam(model, inputs, TARGET, layer='0').covers == (8, 12)
    assert input_x_gradient(model, inputs, TARGET).covers == (10, 13)


@pytest.mark.parametrize('cfg', [CNN, CFCN_C], ids=['linear', 'class maps'])
def test_grad_cam_is_that_of_the_library_grad_cam(cfg):
    library = pytest.importorskip('pytorch_grad_cam')
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    class Unscaled(library.GradCAM):  # the library stretches each map to [0, 1]
        def compute_cam_per_layer(self, images, targets, eigen_smooth):
            seen = self.activations_and_grads
            return self.get_cam_image(
                images,
                self.target_layers[0],
                targets,
                seen.activations[-1].numpy(),
                seen.gradients[-1].numpy(),
                eigen_smooth,
            )

        def aggregate_multi_layers(self, cam_per_target_layer):
            return np.maximum(cam_per_target_layer, 0)

    model = build(cfg)
    labels = [ClassifierOutputTarget(label) for label in LABELS.tolist()]
    # the last layer of the backbone gives its map as one tensor
    with Unscaled(model, [model.backbone.layers]) as cam:
        expected = torch.from_numpy(cam(images(), labels))
    torch.testing.assert_close(grad_cam(model, images(), TARGET).saliency, expected)


@pytest.mark.parametrize('cfg', [CNN, VIT, SWIN], ids=['CNN', 'ViT', 'Swin'])
def test_input_x_gradient_is_that_of_the_library_captum(cfg):
    captum = pytest.importorskip('captum.attr')
    model = build(cfg)
    product = captum.InputXGradient(model).attribute(
        images().requires_grad_(), target=LABELS
    )
    torch.testing.assert_close(
        input_x_gradient(model, images(), TARGET).saliency,
        product.detach().sum(1).relu(),
    )


# ---- what is left behind ------------------------------------------------------


def state_of(model):
    return (
        [m.training for m in model.modules()],
        [
            (p.requires_grad, None if p.grad is None else p.grad.clone())
            for p in model.parameters()
        ],
        {k: v.clone() for k, v in model.state_dict().items()},
        [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
    )


def used_model():
    """As in the middle of training: mixed modes, frozen parts, pending gradients."""
    model = build(CNN).train()
    model(images()).square().sum().backward()
    model.backbone.eval()
    next(model.parameters()).requires_grad_(False)
    return model


@pytest.mark.parametrize('outside', [torch.no_grad, torch.enable_grad])
@pytest.mark.parametrize('method', EXPLANATIONS)
def test_the_model_is_as_it_was(method, outside):
    model = used_model()
    before = state_of(model)
    with outside():
        explained = EXPLANATIONS[method](model, images(), TARGET)
    torch.testing.assert_close(state_of(model), before)
    assert not explained.saliency.requires_grad


@pytest.mark.parametrize('method', EXPLANATIONS)
def test_the_model_is_as_it_was_after_an_exception(method):
    model = used_model()
    broken = model.head.fc.register_forward_hook(lambda *_: 1 / 0)
    before = state_of(model)
    with pytest.raises(ZeroDivisionError):
        EXPLANATIONS[method](model, images(), TARGET)
    torch.testing.assert_close(state_of(model), before)
    broken.remove()


def test_parameters_collect_no_gradient_inside():
    model = used_model()
    with temporary_evaluation(model):
        assert not any(p.requires_grad for p in model.parameters())
        assert torch.is_grad_enabled()


@pytest.mark.parametrize('method', EXPLANATIONS)
def test_half_precision_around_does_not_matter(method):
    model = build(CNN)
    expected = EXPLANATIONS[method](model, images(), TARGET).saliency
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(
            EXPLANATIONS[method](model, images(), TARGET).saliency, expected
        )


# ---- what cannot be explained --------------------------------------------------


def test_layer_that_no_score_depends_on_is_an_error_naming_it():
    model = Tiny()
    model.unused = nn.Identity()
    with pytest.raises(RuntimeError, match="'unused'.*name another layer"):
        grad_cam(model, TINY, torch.eye(2), layer='unused')


def test_layer_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match="'nowhere' does not exist"):
        grad_cam(build(CNN), images(), TARGET, layer='nowhere')


@pytest.mark.parametrize('method', EXPLANATIONS)
def test_model_without_class_scores_is_an_error(method):
    with pytest.raises(ValueError, match=r'gives \(3, 3\) where class scores \(3, 5\)'):
        EXPLANATIONS[method](build(CNN), images(), torch.ones(3, 5))
