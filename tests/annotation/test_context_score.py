"""What the score of the background is on images whose answer is known."""

import pytest
import torch
from torch import nn

from cfcn_plugin.annotation import context_score as module
from cfcn_plugin.annotation.context_score import OBJECT, context_score, largest_part
from cfcn_plugin.features import FeatureHook


@pytest.fixture(autouse=True)
def map_of_the_layer(monkeypatch):
    """The model of this file has no known layout."""
    monkeypatch.setattr(module, 'FeatureHook', lambda: FeatureHook('layer'))


class Colours(nn.Module):
    """Sees where red is, and answers by the mean of one channel: of two classes."""

    def __init__(self, channel):
        super().__init__()
        self.layer = nn.Conv2d(3, 1, 1, bias=False)
        self.layer.weight.data = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
        self.channel = channel

    def forward(self, images):
        self.layer(images)
        score = images[:, self.channel].mean((1, 2))
        return torch.stack([score, -score], 1) * 100


def images():
    """A red object of a quarter of the image, on a green background."""
    both = torch.zeros(2, 3, 16, 16)
    both[:, 1] = 0.5
    both[0, :, 4:12, 4:12] = both[1, :, 8:, 8:] = torch.tensor([1.0, 0, 0]).view(
        3, 1, 1
    )
    return both


def test_answer_by_the_background_stays_and_by_the_object_goes():
    by_object = context_score(Colours(0), images())
    torch.testing.assert_close(by_object.whole, torch.full((2,), 50.0))
    assert (by_object.context < 10).all()
    by_background = context_score(Colours(1), images())
    assert (by_background.context > by_background.whole).all()


def test_likely_object_is_where_the_map_is_largest():
    objects = context_score(Colours(0), images()).objects
    torch.testing.assert_close(objects, images()[:, 0] > 0.5)
    assert objects.float().mean().item() == OBJECT


def test_scores_are_log_odds_of_the_answer():
    logits, model = torch.tensor([[1.0, 3.0, 2.0], [0.0, -1.0, -5.0]]), Colours(0)

    def forward(inputs):
        model(inputs)
        return logits

    odds = logits.softmax(1).amax(1)
    torch.testing.assert_close(
        context_score(model, images(), forward).whole, (odds / (1 - odds)).log()
    )
    assert context_score(model, images(), forward, several=True).whole.tolist() == [
        3,
        0,
    ]


def test_model_is_as_before_also_after_an_error():
    model = Colours(7).train()  # there is no such channel
    with pytest.raises(IndexError):
        context_score(model, images())
    assert model.training and not model.layer._forward_hooks
    assert model.layer.weight.requires_grad


def test_dead_map_has_no_object():
    saliency = torch.zeros(2, 4, 4)
    saliency[1, 0, 0] = 1
    part = largest_part(saliency, 0.25)
    assert part.sum((1, 2)).tolist() == [0, 1]
