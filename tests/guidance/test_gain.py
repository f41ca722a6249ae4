"""GAIN_ext: by hand on 2x2, against slow loops, and where its gradients go."""

import math

import pytest
import torch
from batches import changed, guidance_batch

from cfcn_plugin.guidance import GAINLoss


def sum_net(inputs):
    """Two classes: the sum of an image, and 0."""
    total = inputs.sum((1, 2, 3))
    return torch.stack([total, torch.zeros_like(total)], 1)


def by_hand(guided=True):
    """A^c / max is [[1, 0], [0, 1/2]], of an image of ones."""
    activation = torch.tensor([[[[4.0, 0.0], [0.0, 2.0]]]], dtype=torch.float64)
    return guidance_batch(
        images=torch.ones(1, 3, 2, 2, dtype=torch.float64),
        maps=activation,
        logits=torch.tensor([[0.0, 9.0]]),
        mask=torch.tensor([[[[1, 0], [0, 0]]]], dtype=torch.uint8),
        ignore=None,
        guided=torch.tensor([guided]),
        target=torch.tensor([0]),
        classify=sum_net,
        gradients=lambda score: (torch.full_like(activation, 3.0),),
    )


def test_both_terms_by_hand():
    terms = GAINLoss(mining_weight=2.0, mask_weight=8.0, score='logit')(by_hand())
    # I* keeps 1 - T: 0.0066929, twice 0.9933071, 0.5; three channels of it
    mining = 3 * (0.0066928509 + 2 * 0.9933071491 + 0.5)
    assert terms['gain_mining'].item() == pytest.approx(mining)
    assert terms['gain_mask'].item() == pytest.approx(0.25 / 4)
    assert terms['loss_gain_mining'].item() == pytest.approx(2 * mining)
    assert terms['loss_gain_mask'].item() == pytest.approx(8 * 0.25 / 4)
    assert terms['active_maps'] == 1


def test_probability_is_a_softmax_or_a_sigmoid():
    logit = GAINLoss(score='logit')(by_hand())['gain_mining'].item()
    expected = 1 / (1 + math.exp(-logit))  # the other class's logit is 0
    for multi_label in (False, True):
        terms = GAINLoss(multi_label=multi_label)(by_hand())
        assert terms['gain_mining'].item() == pytest.approx(expected)


def test_ignored_pixels_do_not_count_in_the_mask_term():
    seen = changed(by_hand(), ignore=torch.tensor([[[True, False], [True, False]]]))
    assert GAINLoss()(seen)['gain_mask'].item() == pytest.approx(0.25 / 2)


def test_unguided_images_are_mined_and_have_no_mask_term():
    terms = GAINLoss(reduction='guided')(by_hand(guided=False))
    assert terms['gain_mask'] == 0
    assert terms['gain_mining'] == GAINLoss()(by_hand())['gain_mining']


def slow_gain(net, inputs, mask, target, guided, sigma, omega):
    """Pixel by pixel, from the equations; the map has half the image's size."""
    batch, _, height, width = inputs.shape
    mining = difference = 0.0
    for b in range(batch):
        activation = net.features(inputs[b : b + 1]).detach().requires_grad_()
        score = net.scores(activation)[0, target[b]]
        (gradient,) = torch.autograd.grad(score, activation)
        cam = torch.zeros(activation.shape[-2:], dtype=torch.float64)
        for f in range(activation.shape[1]):
            cam += gradient[0, f].mean() * activation[0, f].detach()
        cam = torch.nn.functional.interpolate(
            cam.clamp(min=0)[None, None], scale_factor=2, mode='bilinear'
        )[0, 0]
        cam = (cam / cam.max()).tolist()
        erased, error = inputs[b].clone(), 0.0
        for j in range(height):
            for k in range(width):
                erased[:, j, k] *= 1 - 1 / (1 + math.exp(-omega * (cam[j][k] - sigma)))
                error += (cam[j][k] - mask[b, 0, j, k].item()) ** 2
        mining += net.classify(erased[None]).softmax(1)[0, target[b]].item()
        difference += guided[b] * error / (height * width)
    return mining / batch, difference / batch


def test_equals_a_slow_loop_written_from_the_paper(net, some_inputs, see):
    inputs, guided = some_inputs(), torch.tensor([True, False, True])
    with torch.no_grad():
        net.fc.weight.abs_()  # so that no map is dead
    seen = see(net, inputs, guided=guided)
    terms = GAINLoss(sigma=0.4, omega=7.0)(seen)
    mining, difference = slow_gain(
        net, inputs, seen.masks.mask, seen.target.tolist(), guided.tolist(), 0.4, 7.0
    )
    assert terms['gain_mining'].item() == pytest.approx(mining)
    assert terms['gain_mask'].item() == pytest.approx(difference)


def test_gradients_stop_at_the_weights_and_flow_through_both_passes(
    net, some_inputs, see
):
    seen = see(net, some_inputs())
    terms = GAINLoss()(seen)
    both = [net.conv.weight, net.fc.weight]
    conv, fc = torch.autograd.grad(
        terms['loss_gain_mask'], both, retain_graph=True, allow_unused=True
    )
    assert conv.any() and fc is None
    for gradient in torch.autograd.grad(terms['loss_gain_mining'], both):
        assert gradient.any()


def test_the_mask_term_gives_an_unguided_image_no_gradient(net, some_inputs, see):
    inputs = some_inputs().requires_grad_()
    seen = see(net, inputs, guided=torch.tensor([True, False, True]))
    (gradient,) = torch.autograd.grad(GAINLoss()(seen)['loss_gain_mask'], inputs)
    assert not gradient[1].any() and gradient[0].any()


def test_gradcheck(net, some_inputs, see):
    seen = see(net, some_inputs())
    fixed = seen.model.gradients(seen.logits.sum(1))

    def loss(activation):
        terms = GAINLoss()(
            changed(seen, maps=activation, gradients=lambda score: fixed)
        )
        return terms['loss_gain_mining'] + terms['loss_gain_mask']

    assert torch.autograd.gradcheck(loss, seen.maps[0].detach().requires_grad_())


def test_several_labels_share_one_map_and_one_pass(net, some_inputs, see):
    passes = []

    def classify(inputs):
        passes.append(inputs)
        return net.classify(inputs)

    target = torch.tensor(
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 1.0]]
    )
    seen = see(net, some_inputs(), target=target, classify=classify)
    assert GAINLoss(multi_label=True)(seen)['gain_mining'].isfinite()
    assert len(passes) == 1


def test_dead_maps_are_counted(net, some_inputs, see):
    with torch.no_grad():
        net.fc.weight.abs_()
    seen = see(net, some_inputs())
    seen = changed(
        seen, maps=seen.maps[0] * torch.tensor([1.0, 0.0, 1.0]).view(3, 1, 1, 1)
    )
    assert GAINLoss()(seen)['active_maps'].item() == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(mining_weight=-1), '`mining_weight` must be >= 0, got -1'),
        (dict(mask_weight=float('nan')), '`mask_weight` must be >= 0, got nan'),
        (dict(sigma=2), r'`sigma` must be in \[0, 1\], got 2'),
        (dict(omega=0), '`omega` must be > 0, got 0'),
        (dict(score='odds'), "`score` must be one of .*'odds'"),
        (dict(reduction='sum'), "`reduction` must be one of .*'sum'"),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        GAINLoss(**options)


def test_mixed_images_and_several_maps_are_refused(net, some_inputs, see, components):
    seen = see(net, some_inputs())
    with pytest.raises(ValueError, match='GAINLoss.*Mixup.*BackgroundSwap'):
        GAINLoss()(changed(seen, components=components(seen)))
    with pytest.raises(ValueError, match='GAINLoss takes one map.*2 targets'):
        GAINLoss()(changed(seen, maps=(seen.maps[0],) * 2))
