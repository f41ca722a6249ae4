"""No answer without the object: by hand, against a slow loop, and who pays for it."""

import math

import pytest
import torch
from batches import changed, guidance_batch
from context_training import AFTER, train_by_context

from cfcn_plugin.functional.compositing import without_object
from cfcn_plugin.guidance import MixComponent, UniformContextLoss


def by_hand(**more):
    """Contexts of 1 and 3 with objects of 7; scores are the logarithm of the largest
    pixel, and 0. The second image is unguided."""
    images = torch.ones(2, 3, 8, 8, dtype=torch.float64)
    images[0] = 3.0
    mask = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    mask[..., 2:4, 2:4] = 1
    images = torch.where(mask > 0, 7.0, images)

    def classify(x):
        return torch.stack([x.amax((1, 2, 3)).log(), torch.zeros(2).double()], 1)

    given = dict(
        images=images,
        maps=images[:, :1],
        logits=classify(images),
        mask=mask,
        guided=torch.tensor([True, False]),
        target=torch.tensor([0, 1]),
        classify=classify,
    )
    return guidance_batch(**{**given, **more})


# of odds of 3 to 1, and for two labels with odds of 3 and 1 to 1
ODDS = math.log(1 / 2) - math.log(3 / 4 * 1 / 4) / 2


def test_by_hand():
    terms = UniformContextLoss(4.0, border=0)(by_hand())
    assert terms['uniform_context'].item() == pytest.approx(ODDS / 2)
    assert terms['loss_uniform_context'].item() == pytest.approx(4 * ODDS / 2)
    guided = UniformContextLoss(border=0, reduction='guided')(by_hand())
    assert guided['uniform_context'].item() == pytest.approx(ODDS)
    assert guided['loss_uniform_context'].item() == pytest.approx(ODDS / 2)


def test_labels_are_each_uniform_by_themselves():
    terms = UniformContextLoss(border=0, multi_label=True)(by_hand())
    assert terms['uniform_context'].item() == pytest.approx(ODDS / 2 / 2)


@pytest.mark.parametrize('multi_label, score', [(False, 3.0), (True, 0.0)])
def test_a_uniform_answer_costs_nothing(multi_label, score):
    step = by_hand(classify=lambda x: torch.full((2, 5), score))
    found = UniformContextLoss(multi_label=multi_label)(step)['uniform_context']
    assert found.item() == pytest.approx(0, abs=1e-6)


def test_a_box_hides_the_outline():
    mask = by_hand().masks.mask.clone()
    mask[..., 3, 3] = 0  # a corner of the object that the mask lacks
    for hole, expected in (('mask', 7), ('box', 3)):
        terms = UniformContextLoss(border=0, hole=hole, reduction='guided')(
            by_hand(mask=mask)
        )
        p = expected / (expected + 1)
        assert terms['uniform_context'].item() == pytest.approx(
            math.log(1 / 2) - math.log(p * (1 - p)) / 2
        )


@pytest.mark.parametrize('multi_label', [False, True])
def test_equals_a_slow_loop(net, some_inputs, see, multi_label):
    step = see(net, some_inputs(), guided=torch.tensor([True, False, True]))
    total = 0.0
    for own in (0, 2):
        image = without_object(step.images[[own]], step.masks.objects[[own]], 1.0)
        scores = net.classify(image)[0].tolist()
        if multi_label:
            for score in scores:
                p = 1 / (1 + math.exp(-score))
                total += sum(math.log(0.5 / q) / 2 for q in (p, 1 - p)) / 4
        else:
            whole = sum(map(math.exp, scores))
            total += sum(math.log(0.25 * whole / math.exp(s)) / 4 for s in scores)
    loss = UniformContextLoss(border=1.0, multi_label=multi_label)
    assert loss(step)['uniform_context'].item() == pytest.approx(total / 3)


def test_gradient_is_that_of_cross_entropy_to_uniform(net, some_inputs, see):
    step = see(net, some_inputs())
    found = UniformContextLoss(1.0)(step)['loss_uniform_context']
    scores = net.classify(without_object(step.images, step.masks.objects))
    expected = torch.nn.functional.cross_entropy(
        scores, torch.full((3, 4), 0.25, dtype=torch.float64)
    )
    torch.testing.assert_close(found, expected - math.log(4))
    weights = [net.conv.weight, net.fc.weight]
    torch.testing.assert_close(
        torch.autograd.grad(found, weights), torch.autograd.grad(expected, weights)
    )


def test_unguided_image_gets_no_gradient(net, some_inputs, see):
    inputs = some_inputs().requires_grad_()
    step = see(net, inputs, guided=torch.tensor([True, False, True]))
    (gradient,) = torch.autograd.grad(
        UniformContextLoss()(step)['loss_uniform_context'], inputs
    )
    assert gradient[0].any() and not gradient[1].any()
    none = see(net, inputs, guided=torch.zeros(3, dtype=torch.bool))
    assert UniformContextLoss(reduction='guided')(none)['uniform_context'] == 0


def test_an_image_that_is_object_all_over_has_a_finite_cost(net, some_inputs, see):
    step = see(net, some_inputs(), mask=torch.ones(3, 1, 8, 8, dtype=torch.uint8))
    loss = UniformContextLoss()(step)['loss_uniform_context']
    (gradient,) = torch.autograd.grad(loss, net.conv.weight)
    assert loss.isfinite() and gradient.isfinite().all()


def test_it_falls_while_it_is_trained_in_a_plain_loop():
    method = UniformContextLoss(1.0, border=0.5)
    found = train_by_context(method, 'uniform_context', 200, is_alike=True)
    assert sum(found[190:]) < 0.5 * sum(found[AFTER - 10 : AFTER])


def test_mixed_images_are_refused(net, some_inputs, see):
    step = see(net, some_inputs())
    component = MixComponent(step.masks.mask, torch.eye(4)[:3], None, torch.ones(3))
    with pytest.raises(ValueError, match='UniformContextLoss .*BackgroundSwap'):
        UniformContextLoss()(changed(step, components=(component,)))


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(loss_weight=-1), '`loss_weight` must be >= 0, got -1'),
        (dict(border=-1), '`border` must be >= 0, got -1'),
        (dict(hole='round'), "`hole` must be one of .*'round'"),
        (dict(reduction='sum'), "`reduction` must be one of .*'sum'"),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        UniformContextLoss(**options)
