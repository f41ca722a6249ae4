"""Finding the linear layer whose output is the logits."""

from types import SimpleNamespace

import pytest
import timm
import torch
import torchvision
from torch import nn

from cfcn_plugin.repair import find_linear_head

IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ('name', 'head'),
    [
        ('test_resnet', 'fc'),
        ('test_vit', 'head'),
        ('test_efficientnet', 'classifier'),
        ('test_convnext', 'head.fc'),
    ],
)
def test_the_head_of_a_timm_model_is_found(name, head):
    model = timm.create_model(name, num_classes=5)
    images = torch.rand(2, *timm.data.resolve_model_data_config(model)['input_size'])
    assert find_linear_head(model, images) == head


@pytest.mark.parametrize(
    ('name', 'head'),
    [
        ('resnet18', 'fc'),
        ('mobilenet_v3_small', 'classifier.3'),
        ('squeezenet1_1', None),
    ],
)
def test_the_head_of_a_torchvision_model_is_found_or_refused(name, head):
    model = torchvision.models.get_model(name, num_classes=5)
    if head is None:
        with pytest.raises(ValueError, match='no nn.Linear of SqueezeNet'):
            find_linear_head(model, IMAGES)
    else:
        assert find_linear_head(model, IMAGES) == head


def test_a_model_with_two_heads_is_refused():
    model = timm.create_model('deit_tiny_distilled_patch16_224', img_size=32)
    with pytest.raises(ValueError, match='several heads'):
        find_linear_head(model, IMAGES)


def test_a_linear_layer_that_is_not_the_last_is_not_the_head():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 4), nn.ReLU(), nn.Linear(4, 4))
    assert find_linear_head(model, IMAGES) == '3'


class WithLogits(nn.Module):
    def __init__(self):
        super().__init__()
        self.classifier = nn.Linear(3, 2)

    def forward(self, images):
        return SimpleNamespace(loss=None, logits=self.classifier(images.mean((2, 3))))


def test_logits_of_an_object_are_found():
    assert find_linear_head(WithLogits(), IMAGES) == 'classifier'


class ByKeyword(WithLogits):
    def forward(self, images):
        return self.classifier(input=images.mean((2, 3)))


def test_a_layer_that_is_called_by_keyword_is_found():
    assert find_linear_head(ByKeyword(), IMAGES) == 'classifier'


def test_a_model_without_logits_is_an_error_that_says_what_to_give():
    with pytest.raises(TypeError, match=r'got \(2, 3, 32, 32\): give `forward`'):
        find_linear_head(nn.Conv2d(3, 3, 1), IMAGES)


def test_the_model_stays_as_it_was():
    model = torchvision.models.resnet18(num_classes=3).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    find_linear_head(model, IMAGES)
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(
        torch.equal(value, before[key]) for key, value in model.state_dict().items()
    )
