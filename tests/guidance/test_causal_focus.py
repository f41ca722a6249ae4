"""The loss as a module: equal to the function, by hand, and over two processes."""

import pytest
import torch
from batches import changed, guidance_batch
from gloo_processes import run_in_processes
from torch import nn

from cfcn_plugin.functional import causal_focus_loss
from cfcn_plugin.guidance import CausalFocusLoss, MixComponent


def live_map(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, dtype=torch.float64, generator=generator) + 0.1


def some_mask(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(*shape, generator=generator) > 0.6).to(torch.uint8)


def seen_by(activation, mask, *, num_classes=4, guided=None, target=None, **more):
    batch = len(mask)
    given = dict(
        images=torch.zeros(batch, 3, *mask.shape[-2:]),
        maps=activation,
        logits=torch.zeros(batch, num_classes),
        mask=mask,
        ignore=None,
        guided=torch.ones(batch, dtype=torch.bool) if guided is None else guided,
        target=torch.arange(batch) % num_classes if target is None else target,
    )
    return guidance_batch(**{**given, **more})


# ---- the function ----------------------------------------------------------


@pytest.mark.parametrize('reduction', ['batch', 'guided'])
@pytest.mark.parametrize('resize', ['mask', 'activation'])
@pytest.mark.parametrize('channels', ['all', 'target'])
def test_focus_equals_the_function(channels, resize, reduction):
    activation, mask = live_map(3, 4, 7, 5), some_mask(3, 1, 30, 20)
    guided = torch.tensor([True, False, True])
    ignore = some_mask(3, 30, 20, seed=2).bool()
    target = torch.tensor([3, 0, 1])
    loss = CausalFocusLoss(
        channels=channels, resize=resize, reduction=reduction, eps=1e-3
    )
    terms = loss(seen_by(activation, mask, guided=guided, ignore=ignore, target=target))
    torch.testing.assert_close(
        terms['loss_focus'],
        causal_focus_loss(
            activation,
            mask,
            guided=guided,
            ignore=ignore,
            resize=resize,
            eps=1e-3,
            target=target if channels == 'target' else None,
            reduction=reduction,
        ),
    )


def test_several_labels_are_averaged():
    activation, mask = live_map(2, 4, 5, 5), some_mask(2, 1, 5, 5)
    scores = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]])
    focus = CausalFocusLoss(channels='target')(
        seen_by(activation, mask, target=scores)
    )['loss_focus']
    by_label = [
        causal_focus_loss(
            activation[i : i + 1], mask[i : i + 1], target=torch.tensor([label])
        )
        for i, label in ((0, 0), (0, 3), (1, 1))
    ]
    expected = ((by_label[0] + by_label[1]) / 2 + by_label[2]) / 2
    torch.testing.assert_close(focus, expected)


def test_image_without_any_label_costs_nothing():
    activation, mask = live_map(1, 4, 5, 5), some_mask(1, 1, 5, 5)
    seen = seen_by(activation, mask, target=torch.zeros(1, 4))
    assert CausalFocusLoss(channels='target')(seen)['loss_focus'] == 0


def test_masks_of_several_classes_are_joined_for_one_mask_an_image():
    activation, planes = live_map(2, 4, 6, 6), some_mask(2, 3, 12, 12)
    joined = planes.amax(1, keepdim=True)
    loss = CausalFocusLoss()
    torch.testing.assert_close(
        loss(seen_by(activation, planes))['loss_focus'],
        loss(seen_by(activation, joined))['loss_focus'],
    )


def test_weight_multiplies_the_loss_and_not_the_logged_focus():
    activation, mask = live_map(2, 4, 5, 5), some_mask(2, 1, 5, 5)
    plain, heavy = (
        CausalFocusLoss(loss_weight=weight)(seen_by(activation, mask))
        for weight in (1, 2.5)
    )
    torch.testing.assert_close(heavy['loss_focus'], 2.5 * plain['loss_focus'])
    assert heavy['focus'] == plain['focus']
    assert plain['focus'].item() == pytest.approx(1 - plain['loss_focus'].item())


def test_only_the_loss_has_a_graph():
    activation = live_map(2, 4, 5, 5).requires_grad_()
    terms = CausalFocusLoss()(seen_by(activation, some_mask(2, 1, 5, 5)))
    assert set(terms) == {
        'loss_focus',
        'focus',
        'focus_best',
        'focus_uniform',
        'active_maps',
    }
    assert terms.pop('loss_focus').requires_grad
    assert not any(value.requires_grad for value in terms.values())


@pytest.mark.parametrize('reduction', ['batch', 'guided'])
@pytest.mark.parametrize('channels', ['all', 'target', 'per_class'])
def test_batch_without_a_guided_image_gives_zero_and_zero_gradient(channels, reduction):
    activation = live_map(2, 4, 5, 5).requires_grad_()
    seen = seen_by(
        activation,
        some_mask(2, 2, 5, 5),
        guided=torch.zeros(2, dtype=torch.bool),
        classes=torch.full((2, 2), -1),
    )
    terms = CausalFocusLoss(channels=channels, reduction=reduction, absent='context')(
        seen
    )
    terms['loss_focus'].backward()
    assert terms['loss_focus'] == 0
    assert (activation.grad == 0).all()


def test_unguided_image_changes_nothing_whatever_its_map_and_mask():
    activation, mask = live_map(2, 4, 5, 5), some_mask(2, 1, 5, 5)
    activation[1] = float('nan')
    activation.requires_grad_()
    seen = seen_by(activation, mask, guided=torch.tensor([True, False]))
    CausalFocusLoss(reduction='guided')(seen)['loss_focus'].backward()
    alone = live_map(2, 4, 5, 5)[:1].requires_grad_()
    causal_focus_loss(alone, mask[:1]).backward()
    torch.testing.assert_close(activation.grad[:1], alone.grad)
    assert (activation.grad[1] == 0).all()


# ---- a mask a class --------------------------------------------------------


def two_classes_of_three():
    """Class 0: 1 + 2 of 10 inside, cost 0.7. Class 2: 3 of 4, 0.25. 1 is absent."""
    activation = torch.tensor(
        [
            [
                [[1.0, 2.0], [3.0, 4.0]],
                [[9.0, 9.0], [9.0, 9.0]],
                [[3.0, 0.0], [1.0, 0.0]],
            ]
        ],
        dtype=torch.float64,
    )
    mask = torch.tensor([[[[1, 1], [0, 0]], [[1, 0], [0, 0]]]], dtype=torch.uint8)
    return activation, mask, torch.tensor([[0, 2]])


@pytest.mark.parametrize(
    'absent, expected', [('skip', (0.7 + 0.25) / 2), ('context', (0.7 + 1 + 0.25) / 3)]
)
def test_a_mask_a_class_by_hand(absent, expected):
    activation, mask, classes = two_classes_of_three()
    loss = CausalFocusLoss(channels='per_class', absent=absent, eps=1e-12)
    terms = loss(seen_by(activation, mask, num_classes=3, classes=classes))
    torch.testing.assert_close(
        terms['loss_focus'], torch.tensor(expected, dtype=torch.float64)
    )


@pytest.mark.parametrize('absent', ['skip', 'context'])
def test_planes_without_a_class_are_only_padding(absent):
    activation, mask, classes = two_classes_of_three()
    loss = CausalFocusLoss(channels='per_class', absent=absent)
    padded = torch.cat([mask, torch.ones_like(mask)], dim=1)
    padded_classes = torch.cat([classes, torch.full((1, 2), -1)], dim=1)
    torch.testing.assert_close(
        loss(seen_by(activation, padded, num_classes=3, classes=padded_classes))[
            'loss_focus'
        ],
        loss(seen_by(activation, mask, num_classes=3, classes=classes))['loss_focus'],
    )


@pytest.mark.parametrize('absent', ['skip', 'context'])
def test_absent_class_has_no_gradient(absent):
    activation, mask, classes = two_classes_of_three()
    activation.requires_grad_()
    CausalFocusLoss(channels='per_class', absent=absent)(
        seen_by(activation, mask, num_classes=3, classes=classes)
    )['loss_focus'].backward()
    assert (activation.grad[0, 1] == 0).all()
    assert (activation.grad[0, [0, 2]] != 0).any((1, 2)).all()


# ---- mixed images --------------------------------------------------------


def two_components(planes=1, classes=None):
    """Three mixed images; of the last, one component is unguided."""
    scores = torch.eye(4)[[0, 1, 3]]
    other = None if classes is None else classes.flip(0)
    return (
        MixComponent(
            some_mask(3, planes, 12, 12).double(),
            scores,
            classes,
            torch.tensor([0.7, 0.4, 0.1]),
        ),
        MixComponent(
            some_mask(3, planes, 12, 12, seed=2).double(),
            scores.flip(0),
            other,
            torch.tensor([0.3, 0.6, 0.0]),
        ),
    )


def test_each_label_of_a_mixed_image_has_its_own_mask():
    activation, components = live_map(3, 4, 6, 6), two_components()
    seen = seen_by(activation, some_mask(3, 1, 12, 12), components=components)
    expected = sum(
        component.weight
        * causal_focus_loss(
            activation,
            component.mask,
            target=component.target.argmax(1),
            reduction='none',
        )
        for component in components
    )
    torch.testing.assert_close(
        CausalFocusLoss(channels='target').per_image(seen), expected
    )


@pytest.mark.parametrize('absent', ['skip', 'context'])
def test_each_class_of_a_mixed_image_has_its_own_mask(absent):
    classes = torch.tensor([[0, 2], [1, -1], [3, 0]])
    activation, components = live_map(3, 4, 6, 6), two_components(2, classes)
    loss = CausalFocusLoss(channels='per_class', absent=absent)
    expected = sum(
        component.weight
        * loss.per_image(seen_by(activation, component.mask, classes=component.classes))
        for component in components
    )
    seen = seen_by(activation, some_mask(3, 1, 12, 12), components=components)
    torch.testing.assert_close(loss.per_image(seen), expected)


def test_maps_without_labels_cost_the_mixture_of_what_the_parts_cost():
    activation, components = live_map(3, 4, 6, 6), two_components()
    joint = sum(c.weight.view(-1, 1, 1, 1) * c.mask for c in components)
    known = sum(component.weight for component in components).view(-1, 1, 1, 1)
    seen = seen_by(
        activation,
        joint / known,
        components=components,
        ignore=(1 - known[:, 0]).expand(-1, 12, 12),
    )
    expected = sum(
        component.weight
        * causal_focus_loss(activation, component.mask, reduction='none')
        for component in components
    )
    # eps is small, and counts once more for what is ignored
    torch.testing.assert_close(
        CausalFocusLoss(eps=1e-9).per_image(seen), expected, rtol=1e-3, atol=0
    )


def test_mixed_images_count_by_how_far_they_are_guided():
    activation, components = live_map(3, 4, 6, 6), two_components()
    seen = seen_by(activation, some_mask(3, 1, 12, 12), components=components)
    loss = CausalFocusLoss(channels='target', reduction='guided')
    torch.testing.assert_close(
        loss(seen)['loss_focus'], loss.per_image(seen).sum() / 2.1
    )


# ---- several maps ----------------------------------------------------------


def cost(activation, mask):
    return causal_focus_loss(activation, mask)


def test_several_maps_are_averaged():
    maps, mask = (
        (live_map(2, 4, 7, 5), live_map(2, 9, 3, 3, seed=3)),
        some_mask(2, 1, 14, 10),
    )
    focus = CausalFocusLoss()(seen_by(maps, mask))['loss_focus']
    torch.testing.assert_close(focus, (cost(maps[0], mask) + cost(maps[1], mask)) / 2)


# ---- beyond the paper ------------------------------------------------------


def two_channels():
    """Inside the first row: 3 of 10 and 6 of 6; means 2.5 and 1.5."""
    activation = torch.tensor(
        [[[[1.0, 2.0], [3.0, 4.0]], [[6.0, 0.0], [0.0, 0.0]]]], dtype=torch.float64
    )
    return activation, torch.tensor([[[[1, 1], [0, 0]]]], dtype=torch.uint8)


def by_hand(activation, mask, gradient=None, **options):
    def gradients(score):
        return [torch.tensor(gradient).view(1, -1, 1, 1).expand_as(activation)]

    loss = CausalFocusLoss(eps=1e-12, **options)
    seen = seen_by(activation, mask, gradients=gradients)
    return loss(seen)['loss_focus'].item()


def test_macro_and_micro_average_by_hand():
    seen = two_channels()
    assert by_hand(*seen) == pytest.approx((7 / 10 + 0 / 6) / 2)
    assert by_hand(*seen, average='micro') == pytest.approx(7 / 16)


def test_micro_average_ignores_dead_channels_and_macro_does_not():
    activation, mask = two_channels()
    padded = torch.cat([activation, torch.zeros_like(activation)], 1)
    assert by_hand(padded, mask, average='micro') == pytest.approx(7 / 16)
    assert by_hand(padded, mask) == pytest.approx((7 / 10 + 0 + 1 + 1) / 4)


def test_evidence_for_another_class_counts_in_the_micro_average_of_class_maps():
    # the true class 0 is found inside, class 1 on the context, 2 and 3 nowhere
    activation = torch.tensor(
        [[[[3.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 0.0]]]]
    )
    mask = torch.tensor([[[[1, 0]]]], dtype=torch.uint8)
    assert by_hand(activation, mask, channels='target') == pytest.approx(0)
    assert by_hand(activation, mask, average='micro') == pytest.approx(1 / 4)


@pytest.mark.parametrize('average', ['macro', 'micro'])
@pytest.mark.parametrize('dtype', [torch.float64, torch.float16])
def test_negative_activation_is_no_evidence(average, dtype):
    activation = torch.tensor([[[[1.0, -4.0], [3.0, -2.0]]]], dtype=dtype)
    mask = torch.tensor([[[[1, 0], [0, 0]]]], dtype=torch.uint8)
    assert by_hand(activation, mask, average=average) == pytest.approx(3 / 4)


@pytest.mark.parametrize('average', ['macro', 'micro'])
def test_sums_do_not_overflow_in_float16(average):
    activation = torch.full((1, 2, 2, 2), 6e4, dtype=torch.float16)
    mask = torch.tensor([[[[1, 0], [0, 0]]]], dtype=torch.uint8)
    assert by_hand(activation, mask, average=average) == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    'average, expected',
    [
        ('macro', 0.25 * 7 / 10 + 0.75 * 0),
        ('micro', 1 - (0.25 * 3 + 0.75 * 6) / (0.25 * 10 + 0.75 * 6)),
    ],
)
def test_channels_that_matter_more_count_more(average, expected):
    seen = two_channels()
    # for or against the class, whichever its scale
    assert by_hand(
        *seen, [2.0, -6.0], average=average, channel_weights='gradient'
    ) == pytest.approx(expected)


@pytest.mark.parametrize('average', ['macro', 'micro'])
def test_where_no_channel_matters_all_count_alike(average):
    seen = two_channels()
    assert by_hand(*seen, [0.0, 0.0], average=average, channel_weights='gradient') == (
        pytest.approx(by_hand(*seen, average=average))
    )


@pytest.mark.parametrize('average', ['macro', 'micro'])
def test_options_equal_a_slow_loop(net, some_inputs, see, average):
    seen = see(net, some_inputs() - 0.5, guided=torch.tensor([True, False, True]))
    activation = seen.maps[0] - 0.7  # signed
    loss = CausalFocusLoss(average=average, channel_weights='gradient', eps=1e-9)
    total = 0.0
    for b in (0, 2):
        matter = [
            abs(
                net.fc.weight[seen.target[b], f].item()
                * seen.maps[0][b, f].mean().item()
            )
            for f in range(3)
        ]
        mask = seen.masks.mask[b, 0].double()
        mask = mask.unfold(0, 2, 2).unfold(1, 2, 2).mean((2, 3))
        inside, everything = [0.0] * 3, [0.0] * 3
        for f, v in enumerate(matter):
            for a, m in zip(
                activation[b, f].flatten().tolist(), mask.flatten().tolist()
            ):
                inside[f] += v / sum(matter) * max(a, 0) * m
                everything[f] += v / sum(matter) * max(a, 0)
        if average == 'micro':
            total += 1 - sum(inside) / sum(everything)
        else:
            total += sum(
                v / sum(matter) * (1 - i / e)
                for v, i, e in zip(matter, inside, everything)
            )
    found = loss(changed(seen, maps=activation))['loss_focus'].item()
    assert found == pytest.approx(total / 3, rel=1e-5)


@pytest.mark.parametrize('average', ['macro', 'micro'])
def test_gradcheck_of_the_options(average):
    activation = (live_map(2, 3, 3, 4) - 0.6).requires_grad_()
    seen = seen_by(
        activation,
        some_mask(2, 1, 7, 5),
        gradients=lambda score: [live_map(2, 3, 3, 4, seed=5)],
    )
    loss = CausalFocusLoss(average=average, channel_weights='gradient')
    assert torch.autograd.gradcheck(
        lambda a: loss(changed(seen, maps=a))['loss_focus'], activation
    )


def test_gradient_stops_at_channel_weights(net, some_inputs, see):
    seen = see(net, some_inputs())
    loss = CausalFocusLoss(channel_weights='gradient')(seen)['loss_focus']
    conv, fc = torch.autograd.grad(
        loss, [net.conv.weight, net.fc.weight], allow_unused=True
    )
    assert conv.any() and fc is None


@pytest.mark.parametrize(
    'options', [dict(average='micro'), dict(channel_weights='gradient')]
)
def test_options_leave_unguided_images_alone(net, some_inputs, see, options):
    inputs = some_inputs().requires_grad_()
    seen = see(net, inputs, guided=torch.tensor([True, False, True]))
    (gradient,) = torch.autograd.grad(
        CausalFocusLoss(**options)(seen)['loss_focus'], inputs
    )
    assert gradient[0].any() and not gradient[1].any()


@pytest.mark.parametrize(
    'options', [dict(average='micro'), dict(channel_weights='gradient')]
)
def test_mixed_images_have_one_joint_mask_with_options_too(
    net, some_inputs, see, components, options
):
    seen = see(net, some_inputs())
    mixed = changed(seen, components=components(seen))
    loss = CausalFocusLoss(**options)
    torch.testing.assert_close(
        loss.per_image(mixed), mixed.masks.weight * loss.per_image(seen)
    )


def test_measured_without_gradients_all_channels_count_alike(net, some_inputs, see):
    with torch.no_grad():
        seen = see(net, some_inputs())
        found = CausalFocusLoss(channel_weights='gradient').per_image(seen)
        torch.testing.assert_close(found, CausalFocusLoss().per_image(seen))


def test_a_map_is_active_if_it_is_in_any_image_of_the_batch():
    activation = torch.zeros(2, 4, 3, 3)
    activation[0, 0, 1, 1] = activation[0, 2, 0, 0] = activation[1, 1, 2, 2] = 1
    activation[1, 3, 0, 0] = -1
    mask, target = some_mask(2, 1, 3, 3), torch.tensor([2, 0])
    for options, expected in ((dict(), 3 / 4), (dict(channels='target'), 1 / 2)):
        terms = CausalFocusLoss(**options)(seen_by(activation, mask, target=target))
        assert terms['active_maps'] == expected, options


# ---- what is logged --------------------------------------------------------


def test_focus_is_the_mean_over_guided_images():
    activation, mask = live_map(3, 4, 5, 5), some_mask(3, 1, 5, 5)
    some = torch.tensor([True, False, True])
    for reduction in ('batch', 'guided'):
        terms = CausalFocusLoss(reduction=reduction)(
            seen_by(activation, mask, guided=some)
        )
        alone = CausalFocusLoss()(seen_by(activation[some], mask[some]))
        for key in ('focus', 'focus_best', 'focus_uniform'):
            torch.testing.assert_close(terms[key], alone[key])


def test_focus_of_no_guided_image_is_no_number():
    terms = CausalFocusLoss()(
        seen_by(
            live_map(2, 4, 5, 5), some_mask(2, 1, 5, 5), guided=torch.zeros(2).bool()
        )
    )
    assert terms['loss_focus'] == 0 and terms['focus'].isnan()


@pytest.mark.parametrize(
    'channels,target',
    [
        ('all', None),
        ('target', torch.tensor([1, 3])),
        ('target', torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 1]])),
    ],
)
def test_best_and_uniform_maps_have_the_focus_that_is_named(channels, target):
    mask, loss = some_mask(2, 1, 12, 12), CausalFocusLoss(channels=channels, eps=1e-12)
    terms = loss(seen_by(live_map(2, 4, 3, 3), mask, target=target))
    whole = loss(seen_by(torch.ones(2, 4, 3, 3), mask, target=target))
    torch.testing.assert_close(whole['focus'], terms['focus_uniform'].to(torch.float32))
    cells = mask.view(2, 1, 3, 4, 3, 4).float().mean((3, 5)).flatten(2)
    one = torch.eye(9)[cells.argmax(2)].view(2, 1, 3, 3).expand(2, 4, 3, 3)
    torch.testing.assert_close(
        loss(seen_by(one, mask, target=target))['focus'],
        terms['focus_best'].to(torch.float32),
    )


@pytest.mark.parametrize('absent', ['skip', 'context'])
def test_bounds_of_a_mask_a_class_are_those_of_its_maps(absent):
    planes, classes = some_mask(2, 2, 12, 12), torch.tensor([[0, 2], [1, -1]])
    loss = CausalFocusLoss(channels='per_class', absent=absent, eps=1e-12)
    terms = loss(seen_by(live_map(2, 3, 3, 3), planes, num_classes=3, classes=classes))
    whole = loss(
        seen_by(torch.ones(2, 3, 3, 3), planes, num_classes=3, classes=classes)
    )
    torch.testing.assert_close(whole['focus'], terms['focus_uniform'].to(torch.float32))
    assert terms['focus_uniform'] < terms['focus_best'] <= 1


def test_mixed_images_are_bounded_by_what_their_parts_are():
    components = two_components()
    loss = CausalFocusLoss(channels='target', eps=1e-12)
    terms = loss(
        seen_by(torch.ones(3, 4, 6, 6), some_mask(3, 1, 12, 12), components=components)
    )
    torch.testing.assert_close(terms['focus'].float(), terms['focus_uniform'].float())
    assert terms['focus_uniform'] < terms['focus_best'] <= 1


# ---- messages --------------------------------------------------------------


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(channels='some'), "`channels` must be one of .*'some'"),
        (dict(resize='both'), "`resize` must be one of .*'both'"),
        (dict(reduction='none'), "`reduction` must be one of .*'none'"),
        (dict(absent='ignore'), "`absent` must be one of .*'ignore'"),
        (dict(average='sum'), "`average` must be one of .*'sum'"),
        (dict(channel_weights='cam'), "`channel_weights` must be one of .*'cam'"),
        (
            dict(channels='target', average='micro'),
            "average='micro'.*channels='all'.*'target'",
        ),
        (dict(channels='per_class', channel_weights='gradient'), "channels='all'"),
        (dict(loss_weight=-1), '`loss_weight` must be >= 0, got -1'),
        (dict(loss_weight='1'), "`loss_weight` must be >= 0, got '1'"),
        (dict(loss_weight=float('nan')), '`loss_weight` must be >= 0, got nan'),
        (dict(eps=0), '`eps` must be > 0, got 0'),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        CausalFocusLoss(**options)


def test_unknown_option_is_an_error():
    with pytest.raises(TypeError):
        CausalFocusLoss(alpha=1)


@pytest.mark.parametrize('channels', ['target', 'per_class'])
def test_maps_by_class_need_a_map_a_class(channels):
    with pytest.raises(ValueError, match="7 maps for 4 classes.*mode='class'"):
        CausalFocusLoss(channels=channels)(
            seen_by(
                live_map(2, 7, 5, 5),
                some_mask(2, 1, 5, 5),
                classes=torch.zeros(2, 1, dtype=torch.int64),
            )
        )


def test_a_mask_a_class_needs_classes():
    with pytest.raises(ValueError, match="'per_class' needs one mask a class"):
        CausalFocusLoss(channels='per_class')(
            seen_by(live_map(2, 4, 5, 5), some_mask(2, 1, 5, 5))
        )


# ---- two processes ---------------------------------------------------------

# which of a rank's four images are guided, rank 0 and rank 1
GUIDED = {
    'one and three': ([1, 0, 0, 0], [0, 1, 1, 1]),
    'none and three': ([0, 0, 0, 0], [0, 1, 1, 1]),
    'none and one': ([0, 0, 0, 0], [0, 0, 1, 0]),
    'none at all': ([0, 0, 0, 0], [0, 0, 0, 0]),
}
CASES = [(share, reduction) for share in GUIDED for reduction in ('batch', 'guided')]


def gradient(model, reduction, inputs, mask, guided):
    """Of the focus term alone, through a small convolution."""
    model.zero_grad()
    seen = seen_by(model(inputs).sigmoid(), mask, guided=guided.bool())
    CausalFocusLoss(loss_weight=1.5, reduction=reduction)(seen)['loss_focus'].backward()
    return next(model.parameters()).grad.clone()


def small_model():
    torch.manual_seed(0)
    return nn.Conv2d(3, 4, 3).double()


def one_rank(rank):
    model = nn.parallel.DistributedDataParallel(small_model())
    own = slice(4 * rank, 4 * rank + 4)
    return {
        (share, reduction): gradient(
            model,
            reduction,
            live_map(8, 3, 6, 6)[own],
            some_mask(8, 1, 6, 6)[own],
            torch.tensor(GUIDED[share][rank]),
        )
        for share, reduction in CASES
    }


@pytest.fixture(scope='module')
def ddp_gradients():
    return run_in_processes(one_rank, 2)


@pytest.mark.parametrize('share, reduction', CASES)
def test_gradient_of_two_ranks_is_that_of_the_joined_batch(
    ddp_gradients, share, reduction
):
    guided = torch.tensor(GUIDED[share]).flatten()
    expected = gradient(
        small_model(), reduction, live_map(8, 3, 6, 6), some_mask(8, 1, 6, 6), guided
    )
    for found in ddp_gradients:
        torch.testing.assert_close(found[share, reduction], expected)
    assert bool(expected.any()) == bool(guided.any())
