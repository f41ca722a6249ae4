"""A network small enough to follow by hand, and what guidance sees of it."""

import pytest
import torch
from batches import guidance_batch
from torch import nn

from cfcn_plugin.guidance import MixComponent


class TinyNet(nn.Module):
    """Smooth, float64, without BatchNorm: map = softplus(conv), score = fc(mean)."""

    def __init__(self, maps=3, classes=4):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, maps, 3, stride=2, padding=1)
        self.fc = nn.Linear(maps, classes)
        self.double()

    def features(self, inputs):
        return nn.functional.softplus(self.conv(inputs))

    def classify(self, inputs):
        return self.scores(self.features(inputs))

    def scores(self, activation):
        return self.fc((activation**2).mean((2, 3)))


@pytest.fixture
def net():
    return TinyNet()


@pytest.fixture
def some_inputs():

    def make(batch=3, size=8, seed=0):
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(
            batch, 3, size, size, dtype=torch.float64, generator=generator
        )

    return make


@pytest.fixture
def see():
    """What a guided model hands to guidance, of a network's pass over inputs."""

    def look(net, inputs, mask=None, **more):
        batch = len(inputs)
        if mask is None:
            mask = torch.zeros(batch, 1, *inputs.shape[-2:], dtype=torch.uint8)
            mask[..., :5, 2:6] = 1
        activation = net.features(inputs)

        def gradients(score, create_graph=False):
            return torch.autograd.grad(
                score.sum(), [activation], retain_graph=True, create_graph=create_graph
            )

        given = dict(
            images=inputs,
            maps=activation,
            logits=net.scores(activation),
            mask=mask,
            ignore=None,
            guided=torch.ones(batch, dtype=torch.bool),
            target=torch.arange(batch) % 4,
            classify=net.classify,
            features=lambda x: (net.features(x),),
            gradients=gradients,
        )
        return guidance_batch(**{**given, **more})

    return look


@pytest.fixture
def components():
    """Two halves of what three images were mixed from, by their masks' labels."""

    def make(seen, weights=((0.7, 0.4, 0.1), (0.3, 0.6, 0.0))):
        scores = torch.eye(4, dtype=torch.float64)[[0, 1, 3]]
        mask = seen.masks.mask.double()
        return (
            MixComponent(mask, scores, None, torch.tensor(weights[0])),
            MixComponent(mask.flip(-1), scores.flip(0), None, torch.tensor(weights[1])),
        )

    return make
