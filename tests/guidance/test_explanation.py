"""Grad-CAM against masks: by hand on 2x2, against slow loops, and its gradients."""

import math

import pytest
import torch
from batches import changed, guidance_batch

from cfcn_plugin.guidance import ExplanationLoss

METRICS = ('energy', 'l1', 'square', 'cross_entropy', 'kl')
each_metric = pytest.mark.parametrize('metric', METRICS)


def by_hand(**more):
    """Grad-CAM is [[4, 1], [0, 2]], the mask is its first row."""
    activation = torch.tensor(
        [[[[4.0, 1.0], [0.0, 2.0]], [[9.0, 9.0], [9.0, 9.0]]]], dtype=torch.float64
    )
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64).view(1, 2, 1, 1)
    given = dict(
        images=torch.zeros(1, 3, 2, 2),
        maps=activation,
        logits=torch.zeros(1, 4),
        mask=torch.tensor([[[[1, 1], [0, 0]]]], dtype=torch.uint8),
        ignore=None,
        guided=torch.tensor([True]),
        target=torch.tensor([0]),
        gradients=lambda score, create_graph: (weights.expand_as(activation),),
    )
    return guidance_batch(**{**given, **more})


BY_HAND = {  # A' is [[1, 1/4], [0, 1/2]]
    'energy': 1 - 5 / 7,
    'l1': (0 + 3 / 4 + 0 + 1 / 2) / 4,
    'square': (1 / 4) / 4,
    'cross_entropy': math.log(4) / 2,
    # q is 1/2 and 1/2, the minimum is 0
    'kl': math.log(1 / 2)
    - (1 + 1 / 4) / 2
    + math.log(math.exp(1) + math.exp(1 / 4) + 1 + math.exp(1 / 2)),
}


@pytest.mark.parametrize('resize', ['mask', 'activation'])
@each_metric
def test_by_hand(metric, resize):
    terms = ExplanationLoss(3.0, metric, resize=resize)(by_hand())
    assert terms['explanation'].item() == pytest.approx(BY_HAND[metric], rel=1e-5)
    assert terms['loss_explanation'].item() == pytest.approx(
        3 * BY_HAND[metric], rel=1e-5
    )
    assert terms['active_maps'] == 1


@pytest.mark.parametrize(
    'metric, expected',
    [
        ('energy', 1 - 5 / 5),
        ('l1', (3 / 4) / 3),
        ('square', 0),
        ('cross_entropy', math.log(4) / 2),
        (
            'kl',
            math.log(1 / 2)
            - (1 + 1 / 4) / 2
            + math.log(math.exp(1) + math.exp(1 / 4) + 1),
        ),
    ],
)
def test_ignored_pixels_count_for_nothing(metric, expected):
    ignore = torch.tensor([[[False, False], [False, True]]])
    terms = ExplanationLoss(metric=metric)(by_hand(ignore=ignore))
    assert terms['explanation'].item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize('size', [4, 40, 96])
def test_energy_wholly_inside_costs_nothing_on_a_map_of_any_size(size):
    activation = torch.zeros(1, 1, size, size)
    activation[..., 0, 0] = 0.5
    pooled = torch.full_like(activation, 1 / size**2)  # of average pooling
    terms = ExplanationLoss()(
        by_hand(
            maps=activation,
            mask=(activation > 0).to(torch.uint8),
            gradients=lambda score, create_graph: (pooled,),
        )
    )
    assert terms['explanation'].item() == pytest.approx(0, abs=1e-5)
    assert terms['active_maps'] == 1


@each_metric
def test_dead_map_is_finite_and_counted(metric):
    seen = by_hand(maps=torch.zeros(1, 2, 2, 2, requires_grad=True))
    terms = ExplanationLoss(metric=metric)(seen)
    terms['loss_explanation'].backward()
    assert terms['explanation'].isfinite() and terms['active_maps'] == 0
    assert seen.maps[0].grad.isfinite().all()


def slow_metric(metric, saliency, mask):
    cells = [
        (saliency[j][k], mask[j][k])
        for j in range(len(saliency))
        for k in range(len(saliency[0]))
    ]
    top = max(a for a, _ in cells)
    if metric == 'energy':
        return 1 - sum(a * m for a, m in cells) / sum(a for a, _ in cells)
    if metric == 'l1':
        return sum(abs(a / top - m) for a, m in cells) / len(cells)
    if metric == 'square':
        return sum((a / top * (1 - m)) ** 2 for a, m in cells) / len(cells)
    if metric == 'kl':
        low, area = min(a for a, _ in cells), sum(m for _, m in cells)
        raised = [math.exp((a - low) / (top - low)) for a, _ in cells]
        return sum(
            m / area * math.log(m / area * sum(raised) / p)
            for (_, m), p in zip(cells, raised)
            if m > 0
        )
    return sum(-m * math.log(max(a / top, 1e-6)) for a, m in cells) / sum(
        m for _, m in cells
    )


@each_metric
def test_equals_a_slow_loop(net, some_inputs, see, metric):
    inputs, guided = some_inputs(), torch.tensor([True, False, True])
    with torch.no_grad():
        net.fc.weight.abs_()
    seen = see(net, inputs, guided=guided)
    total = 0.0
    for b in (0, 2):
        activation = seen.maps[0][b]
        # d score / d A_f = 2 fc_f A_f / (h w)
        weight = [
            net.fc.weight[seen.target[b], f].item()
            * 2
            * activation[f].mean().item()
            / 16
            for f in range(3)
        ]
        saliency = sum(w * activation[f].detach() for f, w in enumerate(weight))
        mask = seen.masks.mask[b, 0].double()
        mask = mask.unfold(0, 2, 2).unfold(1, 2, 2).mean((2, 3))
        total += slow_metric(metric, saliency.tolist(), mask.tolist())
    found = ExplanationLoss(metric=metric)(seen)['explanation'].item()
    assert found == pytest.approx(total / 3, rel=1e-4)  # eps


@each_metric
def test_second_order_gradients_reach_the_head(net, some_inputs, see, metric):
    with torch.no_grad():
        net.fc.weight.abs_()
    for second_order in (False, True):
        seen = see(net, some_inputs())
        loss = ExplanationLoss(metric=metric, second_order=second_order)(seen)
        conv, fc = torch.autograd.grad(
            loss['loss_explanation'],
            [net.conv.weight, net.fc.weight],
            allow_unused=True,
        )
        assert conv.any()
        assert (fc is not None) == second_order


@each_metric
def test_gradcheck_through_grad_cam_and_its_weights(net, some_inputs, see, metric):
    inputs = some_inputs(2)
    with torch.no_grad():
        net.fc.weight.abs_()

    def loss(weight):
        activation = torch.nn.functional.softplus(
            torch.nn.functional.conv2d(inputs, weight, net.conv.bias, 2, 1)
        )
        seen = changed(
            see(net, inputs),
            maps=activation,
            logits=net.scores(activation),
            gradients=lambda score, create_graph: torch.autograd.grad(
                score.sum(), [activation], create_graph=create_graph
            ),
        )
        return ExplanationLoss(metric=metric)(seen)['loss_explanation']

    assert torch.autograd.gradcheck(
        loss, net.conv.weight.detach().clone().requires_grad_()
    )


@each_metric
def test_unguided_image_costs_nothing_and_gets_no_gradient(
    net, some_inputs, see, metric
):
    inputs = some_inputs().requires_grad_()
    with torch.no_grad():
        net.fc.weight.abs_()
    one = ExplanationLoss(metric=metric, reduction='guided')(
        see(net, inputs, guided=torch.tensor([True, False, False]))
    )
    (gradient,) = torch.autograd.grad(one['loss_explanation'], inputs)
    assert gradient[0].any() and not gradient[1:].any()
    alone = ExplanationLoss(metric=metric)(see(net, inputs[:1]))
    torch.testing.assert_close(one['explanation'], alone['explanation'])
    none = ExplanationLoss(metric=metric)(
        see(net, inputs, guided=torch.zeros(3, dtype=torch.bool))
    )
    assert none['explanation'] == 0


@each_metric
def test_mixed_image_costs_what_its_parts_cost(
    net, some_inputs, see, components, metric
):
    seen = see(net, some_inputs())
    loss = ExplanationLoss(metric=metric)
    expected = 0
    for component in components(seen):
        for i, weight in enumerate(component.weight.tolist()):
            guided = torch.arange(3) == i
            alone = changed(
                seen, mask=component.mask, target=component.target, guided=guided
            )
            expected += weight * loss(alone)['explanation'].item()
    found = loss(changed(seen, components=components(seen)))['explanation'].item()
    assert found == pytest.approx(expected, rel=1e-6)


def test_several_maps_cost_their_mean(net, some_inputs, see):
    seen = see(net, some_inputs())
    (gradient,) = seen.model.gradients(seen.logits.sum(1))
    twice = changed(
        seen,
        maps=(seen.maps[0], 3 * seen.maps[0]),
        gradients=lambda score, create_graph: (gradient, gradient),
    )
    one = changed(seen, gradients=lambda score, create_graph: (gradient,))
    loss = ExplanationLoss(metric='l1')
    torch.testing.assert_close(loss(twice)['explanation'], loss(one)['explanation'])


def of_linear_layer(conv, fc, inputs):
    """A step of a network of average pooling and a linear layer; (map, step)."""
    activation = conv(inputs).relu()
    mask = torch.zeros(len(inputs), 1, 6, 6, dtype=torch.uint8)
    mask[..., :3, 1:5] = 1

    def gradients(score, create_graph=False):
        return torch.autograd.grad(
            score.sum(), [activation], retain_graph=True, create_graph=create_graph
        )

    return activation, guidance_batch(
        images=inputs,
        maps=activation,
        logits=fc(activation.mean((2, 3))),
        mask=mask,
        target=torch.arange(len(inputs)),
        guided=torch.ones(len(inputs)).bool(),
        gradients=gradients,
    )


def linear_network():
    torch.manual_seed(0)
    return torch.nn.Conv2d(3, 5, 3).double(), torch.nn.Linear(5, 4).double()


def test_kl_is_that_of_the_class_activation_map(some_inputs):
    conv, fc = linear_network()
    activation, step = of_linear_layer(conv, fc, some_inputs())
    found = ExplanationLoss(metric='kl', temperature=0.5)(step)['loss_explanation']
    total = 0.0
    for b in range(3):
        cam = torch.einsum('f,fjk->jk', fc.weight[b], activation[b]).relu()
        cam = (cam - cam.min()) / (cam.max() - cam.min())
        inside = step.masks.mask[b, 0].bool()
        p = (cam / 0.5).flatten().softmax(0).view(6, 6)
        total = total + (math.log(1 / 12) - p[inside].log()).mean()
    torch.testing.assert_close(found, total / 3)
    weights = [conv.weight, fc.weight]
    torch.testing.assert_close(
        torch.autograd.grad(found, weights, retain_graph=True),
        torch.autograd.grad(total / 3, weights),
    )


def test_kl_falls_while_it_is_trained(some_inputs):
    conv, fc = linear_network()
    optimizer = torch.optim.SGD([*conv.parameters(), *fc.parameters()], lr=0.05)
    found = []
    for _ in range(30):
        loss = ExplanationLoss(metric='kl')(
            of_linear_layer(conv, fc, some_inputs())[1]
        )['loss_explanation']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    uniform = math.log(36 / 12)
    assert found[-1] < 0.9 * uniform < found[0]


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(loss_weight=-1), '`loss_weight` must be >= 0, got -1'),
        (dict(metric='l2'), "`metric` must be one of .*'l2'"),
        (dict(resize='both'), "`resize` must be one of .*'both'"),
        (dict(reduction='sum'), "`reduction` must be one of .*'sum'"),
        (dict(metric='kl', temperature=0), '`temperature` must be > 0, got 0'),
        (dict(temperature=0.5), "option of metric='kl', got metric='energy'"),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        ExplanationLoss(**options)
