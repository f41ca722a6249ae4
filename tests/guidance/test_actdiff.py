"""ActDiff: what is shuffled, the distance by hand, and who pays for it."""

import pytest
import torch
from batches import changed, guidance_batch

from cfcn_plugin.guidance import ActDiffLoss
from cfcn_plugin.guidance.actdiff import shuffle_context


def by_hand(**more):
    """The map is an image's first channel, times 2; the mask is its first column."""
    inputs = torch.arange(12.0).view(1, 3, 2, 2) + 1
    inputs = torch.cat([inputs, 10 * inputs])
    given = dict(
        images=inputs,
        maps=2 * inputs[:, :1],
        logits=torch.zeros(2, 4),
        mask=torch.tensor([[1, 0], [1, 0]], dtype=torch.uint8).expand(2, 1, 2, 2),
        ignore=None,
        guided=torch.tensor([True, False]),
        target=torch.tensor([0, 1]),
        features=lambda x: (2 * x[:, :1],),
    )
    return guidance_batch(**{**given, **more})


def test_context_set_to_zero_by_hand():
    terms = ActDiffLoss(3.0, context='zero')(by_hand())
    # [[2, 4], [6, 8]] against [[2, 0], [6, 0]], and a second image, unguided
    assert terms['actdiff'] == (16 + 64) / 4 / 2
    assert terms['loss_actdiff'] == 3 * 10
    guided = ActDiffLoss(context='zero', reduction='guided')(by_hand())
    assert guided['actdiff'] == 20


def test_two_context_pixels_can_only_change_places():
    torch.manual_seed(0)
    found = {ActDiffLoss()(by_hand())['actdiff'].item() for _ in range(20)}
    assert found == {0, (16 + 16) / 4 / 2}


def test_ignored_pixels_stay_with_the_object():
    ignore = torch.tensor([[False, True], [False, False]]).expand(2, 2, 2)
    terms = ActDiffLoss(context='zero')(by_hand(ignore=ignore))
    assert terms['actdiff'] == 64 / 4 / 2


def test_several_maps_cost_their_mean():
    seen = by_hand()
    twice = changed(
        seen,
        maps=(seen.maps[0], 3 * seen.maps[0]),
        features=lambda x: (2 * x[:, :1], 6 * x[:, :1]),
    )
    terms = ActDiffLoss(context='zero')(twice)
    assert terms['actdiff'] == (10 + 9 * 10) / 2


def test_mixed_images_count_by_how_far_they_are_guided(
    net, some_inputs, see, components
):
    seen = see(net, some_inputs())
    mixed = changed(seen, components=components(seen))
    each = [
        3
        * ActDiffLoss(context='zero')(changed(seen, guided=torch.arange(3) == i))[
            'actdiff'
        ]
        for i in range(3)
    ]
    found = ActDiffLoss(context='zero')(mixed)['actdiff']
    torch.testing.assert_close(
        found, (1.0 * each[0] + 1.0 * each[1] + 0.1 * each[2]) / 3
    )


def test_shuffled_images_keep_objects_and_the_context_s_colours():
    torch.manual_seed(0)
    inputs = torch.arange(2 * 3 * 64.0).view(2, 3, 8, 8)
    context = torch.rand(2, 8, 8) > 0.4
    found = shuffle_context(inputs, context)
    for image, other, where in zip(inputs, found, context):
        assert torch.equal(image[:, ~where], other[:, ~where])
        before, after = image[:, where].T.tolist(), other[:, where].T.tolist()
        assert before != after and sorted(before) == sorted(after)


@pytest.mark.parametrize('share', [0.0, 1.0])
def test_all_or_nothing_can_be_context(share):
    inputs = torch.rand(1, 3, 4, 4)
    found = shuffle_context(inputs, torch.full((1, 4, 4), bool(share)))
    assert torch.equal(found, inputs) == (share == 0)
    assert torch.equal(found.flatten(2).sort().values, inputs.flatten(2).sort().values)


def test_gradients_flow_through_both_passes(net, some_inputs, see):
    for off in (None, 'activation', 'features'):
        seen = see(net, some_inputs())
        if off == 'activation':
            seen = changed(seen, maps=seen.maps[0].detach())
        if off == 'features':
            seen = changed(seen, features=lambda x: (net.features(x).detach(),))
        (gradient,) = torch.autograd.grad(
            ActDiffLoss(context='zero')(seen)['loss_actdiff'], [net.conv.weight]
        )
        assert gradient.any()


def test_half_precision_is_squared_in_float32():
    seen = by_hand(
        maps=torch.full((2, 1, 2, 2), 6e4, dtype=torch.float16),
        features=lambda x: (torch.zeros(2, 1, 2, 2, dtype=torch.float16),),
    )
    torch.testing.assert_close(
        ActDiffLoss(reduction='guided')(seen)['actdiff'], torch.tensor(6e4**2)
    )


def test_unguided_image_gets_no_gradient(net, some_inputs, see):
    inputs = some_inputs().requires_grad_()
    seen = see(net, inputs, guided=torch.tensor([True, False, True]))
    (gradient,) = torch.autograd.grad(ActDiffLoss()(seen)['loss_actdiff'], inputs)
    assert gradient[0].any() and not gradient[1].any()
    none = see(net, inputs, guided=torch.zeros(3, dtype=torch.bool))
    assert ActDiffLoss(reduction='guided')(none)['actdiff'] == 0


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(loss_weight=-1), '`loss_weight` must be >= 0, got -1'),
        (dict(context='blur'), "`context` must be one of .*'blur'"),
        (dict(reduction='sum'), "`reduction` must be one of .*'sum'"),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        ActDiffLoss(**options)
