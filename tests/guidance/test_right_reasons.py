"""RRR: by hand on 2x2, against slow loops, and differentiated twice."""

import math

import pytest
import torch
from batches import changed, guidance_batch
from torch.nn.functional import softplus

from cfcn_plugin.guidance import RightReasonsLoss


def by_hand(**more):
    """p = (3/4, 1/4), so that the gradient is (v_1 - v_0) / 2 = [[1, 0], [-1, 2]]."""
    inputs = torch.zeros(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    other = torch.tensor([[3.0, 1.0], [-1.0, 5.0]], dtype=torch.float64)
    scores = torch.stack(
        [inputs.sum((1, 2, 3)) + math.log(3), (inputs * other).sum((1, 2, 3))], 1
    )
    given = dict(
        images=inputs,
        maps=torch.zeros(1, 1, 1, 1),
        logits=scores,
        mask=torch.tensor([[[[0, 0], [0, 1]]]], dtype=torch.uint8),
        ignore=None,
        guided=torch.tensor([True]),
        target=torch.tensor([0]),
    )
    return guidance_batch(**{**given, **more})


def test_by_hand():
    terms = RightReasonsLoss(loss_weight=5.0)(by_hand())
    assert terms['right_reasons'].item() == pytest.approx(3 * (1 + 0 + 1))
    assert terms['loss_right_reasons'].item() == pytest.approx(5 * 6)


def test_ignored_pixels_and_unguided_images_cost_nothing():
    ignore = torch.tensor([[[True, False], [False, False]]])
    terms = RightReasonsLoss()(by_hand(ignore=ignore))
    assert terms['right_reasons'].item() == pytest.approx(3)
    unguided = by_hand(guided=torch.tensor([False]))
    assert RightReasonsLoss()(unguided)['right_reasons'] == 0


def test_of_a_mixed_image_counts_the_fraction_that_is_context():
    share = by_hand(mask=torch.tensor([[[[0.5, 0.0], [0.0, 1.0]]]]))
    assert RightReasonsLoss()(share)['right_reasons'].item() == pytest.approx(
        3 * (0.25 + 0 + 1)
    )


def slow_penalty(net, inputs, mask, multi_label, step=1e-5):
    """Central differences of each pixel, from the equation."""

    def sum_of_logs(image):
        scores = net.classify(image[None])[0]
        if multi_label:
            return -(softplus(scores) + softplus(-scores)).sum()
        return (scores - scores.exp().sum().log()).sum()

    total = 0.0
    for image, causal in zip(inputs, mask[:, 0]):
        for c, j, k in torch.cartesian_prod(*map(torch.arange, image.shape)).tolist():
            if causal[j, k]:
                continue
            move = torch.zeros_like(image)
            move[c, j, k] = step
            slope = (sum_of_logs(image + move) - sum_of_logs(image - move)) / (2 * step)
            total += slope.item() ** 2
    return total / len(inputs)


@pytest.mark.parametrize('multi_label', [False, True])
def test_equals_slow_differences(net, some_inputs, see, multi_label):
    inputs = some_inputs(2).requires_grad_()
    seen = see(net, inputs)
    found = RightReasonsLoss(multi_label=multi_label)(seen)['right_reasons']
    with torch.no_grad():
        slow = slow_penalty(net, inputs, seen.masks.mask, multi_label)
    assert found.item() == pytest.approx(slow, rel=1e-6)


def test_the_penalty_has_a_gradient_in_every_weight(net, some_inputs, see):
    seen = see(net, some_inputs().requires_grad_())
    RightReasonsLoss()(seen)['loss_right_reasons'].backward()
    assert net.conv.weight.grad.any() and net.fc.weight.grad.any()


def test_gradcheck_of_the_penalty(net, some_inputs, see):
    inputs = some_inputs(2, 4).requires_grad_()

    def penalty(weight):
        features = torch.nn.functional.softplus(
            torch.nn.functional.conv2d(inputs, weight, net.conv.bias, 2, 1)
        )
        seen = changed(see(net, inputs), logits=net.scores(features))
        return RightReasonsLoss()(seen)['loss_right_reasons']

    assert torch.autograd.gradcheck(
        penalty, net.conv.weight.detach().clone().requires_grad_()
    )


def test_unguided_image_changes_no_weight(net, some_inputs, see):
    inputs = some_inputs().requires_grad_()
    RightReasonsLoss(reduction='guided')(
        see(net, inputs, guided=torch.tensor([True, False, True]))
    )['loss_right_reasons'].backward()
    found = net.conv.weight.grad.clone()
    net.zero_grad()
    two = inputs.detach()[[0, 2]].requires_grad_()
    RightReasonsLoss()(see(net, two))['loss_right_reasons'].backward()
    torch.testing.assert_close(found, net.conv.weight.grad)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(loss_weight=-1), '`loss_weight` must be >= 0, got -1'),
        (dict(reduction='sum'), "`reduction` must be one of .*'sum'"),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        RightReasonsLoss(**options)
