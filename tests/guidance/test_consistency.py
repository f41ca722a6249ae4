"""One object on two backgrounds: by hand, against slow loops, and who pays for it."""

import math

import pytest
import torch
from batches import changed, guidance_batch
from context_training import AFTER, train_by_context

from cfcn_plugin.functional.compositing import swap_background
from cfcn_plugin.guidance import ConsistencyLoss, MixComponent

each_metric = pytest.mark.parametrize('metric', ['kl', 'square'])


def by_hand(**more):
    """Images of 1, 2 and 9; the object is the first pixel. Scores are the last pixel
    and 0, which sees the context alone. The third image is unguided."""
    images = torch.tensor([1.0, 2.0, 9.0]).view(3, 1, 1, 1).expand(3, 3, 2, 2).double()
    mask = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    mask[..., 0, 0] = 1

    def classify(x):
        return torch.stack([x[:, 0, 1, 1].log(), torch.zeros(3).double()], 1)

    given = dict(
        images=images,
        maps=images[:, :1],
        logits=classify(images),
        mask=mask,
        guided=torch.tensor([True, True, False]),
        target=torch.tensor([0, 1, 0]),
        classify=classify,
    )
    return guidance_batch(**{**given, **more})


def kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q))


# odds are 1 to 1 and 2 to 1, and change places
KL = kl([1 / 2, 1 / 2], [2 / 3, 1 / 3]), kl([2 / 3, 1 / 3], [1 / 2, 1 / 2])
OF_LABELS = KL[0] / 2, KL[1] / 2  # the second label is alike
BY_HAND = {'kl': sum(KL), 'square': 2 * math.log(2) ** 2 / 2}


@each_metric
def test_by_hand(metric):
    terms = ConsistencyLoss(3.0, metric, border=0)(by_hand())
    assert terms['consistency'].item() == pytest.approx(BY_HAND[metric] / 3)
    assert terms['loss_consistency'].item() == pytest.approx(BY_HAND[metric])
    guided = ConsistencyLoss(metric=metric, border=0, reduction='guided')(by_hand())
    assert guided['consistency'].item() == pytest.approx(BY_HAND[metric] / 2)


def test_kl_of_labels_is_their_mean():
    terms = ConsistencyLoss(border=0, multi_label=True)(by_hand())
    assert terms['consistency'].item() == pytest.approx(sum(OF_LABELS) / 3)


@each_metric
def test_an_answer_that_only_the_object_gives_costs_nothing(metric):
    def classify(x):
        return torch.stack([x[:, 0, 0, 0], -x[:, 1, 0, 0]], 1)

    step = by_hand(classify=classify, logits=classify(by_hand().images))
    found = ConsistencyLoss(metric=metric, border=0)(step)['consistency']
    assert found.item() == pytest.approx(0)


@each_metric
@pytest.mark.parametrize('multi_label', [False, True])
def test_equals_a_slow_loop(net, some_inputs, see, metric, multi_label):
    guided = torch.tensor([True, False, True])
    step = see(net, some_inputs(), guided=guided)
    loss = ConsistencyLoss(
        metric=metric, border=1.0, hole='box', multi_label=multi_label
    )
    total = 0.0
    for own, other in ((0, 2), (2, 0)):
        image = swap_background(
            step.images[[own]],
            step.masks.objects[[own]],
            step.images[[other]],
            step.masks.objects[[other]],
            border=1.0,
        )  # the masks are boxes
        ours, theirs = step.logits[own].tolist(), net.classify(image)[0].tolist()
        if metric == 'square':
            total += sum((a - b) ** 2 for a, b in zip(ours, theirs)) / 4
        elif multi_label:
            p, q = ([1 / (1 + math.exp(-s)) for s in one] for one in (ours, theirs))
            total += sum(kl((a, 1 - a), (b, 1 - b)) for a, b in zip(p, q)) / 4
        else:
            total += kl(
                *(
                    [math.exp(s) / sum(map(math.exp, one)) for s in one]
                    for one in (ours, theirs)
                )
            )
    assert loss(step)['consistency'].item() == pytest.approx(total / 3)


@each_metric
def test_partners_are_drawn_among_guided_images(net, some_inputs, see, metric):
    seen = []
    images = some_inputs(4) + torch.arange(4.0).view(4, 1, 1, 1)
    step = see(net, images, guided=torch.tensor([True, True, True, False]))
    step = changed(step, classify=lambda x: seen.append(x) or net.classify(x))
    torch.manual_seed(0)
    for _ in range(8):
        ConsistencyLoss(metric=metric, border=0)(step)
    corners = [tuple(x[:3, 0, -1, -1].floor().long().tolist()) for x in seen]
    assert set(corners) == {(1, 2, 0), (2, 0, 1)}  # the context's image of each
    assert all(torch.equal(x[3], images[3]) for x in seen)


def test_gradients_of_kl_stop_at_the_first_pass(net, some_inputs, see):
    for metric, alone in (('kl', False), ('square', True)):
        step = see(net, some_inputs())
        step = changed(step, classify=lambda x: net.classify(x).detach())
        loss = ConsistencyLoss(metric=metric)(step)['loss_consistency']
        assert loss.requires_grad == alone
        step = changed(see(net, some_inputs()), classify=net.classify)
        loss = ConsistencyLoss(metric=metric)(step)['loss_consistency']
        assert torch.autograd.grad(loss, net.conv.weight)[0].any()


@each_metric
def test_gradcheck_of_the_second_pass(net, some_inputs, see, metric):
    step = see(net, some_inputs(2))

    def loss(weight):
        def classify(x):
            return net.scores(
                torch.nn.functional.softplus(
                    torch.nn.functional.conv2d(x, weight, net.conv.bias, 2, 1)
                )
            )

        return ConsistencyLoss(metric=metric)(changed(step, classify=classify))[
            'loss_consistency'
        ]

    assert torch.autograd.gradcheck(
        loss, net.conv.weight.detach().clone().requires_grad_()
    )


@each_metric
@pytest.mark.parametrize('guided', [(True, False, False), (False, False, False)])
def test_without_another_guided_image_it_costs_nothing(
    net, some_inputs, see, metric, guided
):
    step = see(net, some_inputs(), guided=torch.tensor(guided))
    terms = ConsistencyLoss(metric=metric, reduction='guided')(step)
    assert terms['consistency'] == 0
    (gradient,) = torch.autograd.grad(terms['loss_consistency'], net.conv.weight)
    assert not gradient.any()


@each_metric
def test_half_precision_is_compared_in_float32(metric):
    step = by_hand(
        logits=torch.tensor([[300.0, 0.0]] * 3, dtype=torch.float16),
        classify=lambda x: torch.zeros(3, 2, dtype=torch.float16),
    )
    found = ConsistencyLoss(metric=metric, reduction='guided')(step)['consistency']
    torch.testing.assert_close(
        found, torch.tensor(math.log(2) if metric == 'kl' else 300**2 / 2)
    )


@each_metric
def test_it_falls_while_it_is_trained_in_a_plain_loop(metric):
    method = ConsistencyLoss(metric=metric, border=0.5)
    found = train_by_context(method, 'consistency', 120, is_alike=False)
    assert sum(found[110:]) < 0.5 * sum(found[AFTER - 10 : AFTER])


def test_mixed_images_are_refused(net, some_inputs, see):
    step = see(net, some_inputs())
    component = MixComponent(step.masks.mask, torch.eye(4)[:3], None, torch.ones(3))
    with pytest.raises(ValueError, match='ConsistencyLoss .*BackgroundSwap'):
        ConsistencyLoss()(changed(step, components=(component,)))


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(loss_weight=-1), '`loss_weight` must be >= 0, got -1'),
        (dict(metric='l1'), "`metric` must be one of .*'l1'"),
        (dict(border=-1), '`border` must be >= 0, got -1'),
        (dict(hole='round'), "`hole` must be one of .*'round'"),
        (dict(reduction='sum'), "`reduction` must be one of .*'sum'"),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        ConsistencyLoss(**options)
