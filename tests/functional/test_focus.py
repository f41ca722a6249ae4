"""The mathematics first, then hand-computed numbers, then a slow reference."""

import math
import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from cfcn_plugin.functional import (
    at_least_float32,
    causal_focus_loss,
    causal_focus_ratio,
    focus_ratio_bounds,
    pool_channels,
    resize_mask,
)

TINY = 1e-12  # the literal equation, in float64


def live_map(*shape, seed=0):
    """Positive float64 maps, so that nothing is dead."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, dtype=torch.float64, generator=generator) + 0.1


def some_mask(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator) > 0.6


# ---- identities ------------------------------------------------------------


def test_full_mask_gives_zero_loss():
    activation = live_map(2, 3, 7, 5)
    loss = causal_focus_loss(activation, torch.ones(2, 30, 20), eps=TINY)
    torch.testing.assert_close(loss, torch.zeros((), dtype=torch.float64))


def test_empty_mask_gives_loss_one():
    loss = causal_focus_loss(live_map(2, 3, 7, 5), torch.zeros(2, 30, 20))
    assert loss == 1


@pytest.mark.parametrize('resize', ['mask', 'activation'])
def test_mask_and_complement_sum_to_one(resize):
    activation, mask = live_map(2, 3, 7, 5), some_mask(2, 33, 21)
    total = sum(
        causal_focus_ratio(activation, m, eps=TINY, resize=resize)
        for m in (mask, ~mask)
    )
    torch.testing.assert_close(total, torch.ones_like(total))


@pytest.mark.parametrize('resize', ['mask', 'activation'])
@pytest.mark.parametrize('grid', [(7, 7), (5, 9), (32, 20), (40, 64), (1, 1)])
def test_uniform_map_scores_the_fraction_of_context_on_any_grid(grid, resize):
    mask = some_mask(3, 32, 20)
    activation = torch.full((3, 2, *grid), 0.7, dtype=torch.float64)
    loss = causal_focus_loss(activation, mask, eps=TINY, resize=resize)
    torch.testing.assert_close(loss, 1 - mask.double().mean())


def test_scaling_the_map_changes_nothing():
    activation, mask = live_map(2, 3, 7, 5), some_mask(2, 14, 10)
    torch.testing.assert_close(
        causal_focus_loss(activation, mask, eps=TINY),
        causal_focus_loss(1000 * activation, mask, eps=TINY),
    )


def test_gradient_is_negative_inside_the_mask_and_positive_outside():
    activation = live_map(1, 2, 4, 4).requires_grad_()
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[:, 1:3, 1:3] = True
    causal_focus_loss(activation, mask).backward()
    inside = mask[:, None].expand_as(activation)
    assert (activation.grad[inside] < 0).all()
    assert (activation.grad[~inside] > 0).all()


def test_negative_activation_counts_as_zero_and_gets_no_gradient():
    activation = torch.tensor([[[[2.0, -5.0], [-3.0, 6.0]]]], requires_grad=True)
    mask = torch.tensor([[[1, 1], [0, 0]]], dtype=torch.uint8)
    ratio = causal_focus_ratio(activation, mask, eps=1e-9)
    torch.testing.assert_close(ratio, torch.tensor([[0.25]]))
    ratio.sum().backward()
    assert (activation.grad[activation < 0] == 0).all()


def test_dead_map_costs_exactly_one_and_has_zero_gradient():
    activation = torch.zeros(1, 1, 3, 3, requires_grad=True)
    loss = causal_focus_loss(activation, torch.ones(1, 3, 3))
    loss.backward()
    assert loss == 1
    assert (activation.grad == 0).all()


def test_stretched_map_equals_torch_interpolation():
    activation, mask = live_map(2, 3, 5, 4), some_mask(2, 16, 12)
    stretched = torch.nn.functional.interpolate(
        activation, size=(16, 12), mode='bilinear'
    )
    torch.testing.assert_close(
        causal_focus_ratio(activation, mask, eps=TINY, resize='activation'),
        causal_focus_ratio(stretched, mask, eps=TINY),
    )


# ---- numbers by hand -------------------------------------------------------


def test_two_by_two_by_hand():
    activation = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[4.0, 0.0], [0.0, 0.0]]]])
    mask = torch.tensor([[[1, 0], [0, 1]]], dtype=torch.bool)
    ratio = causal_focus_ratio(activation, mask, eps=1e-9)
    torch.testing.assert_close(ratio, torch.tensor([[0.5, 1.0]]))
    loss = causal_focus_loss(activation, mask, eps=1e-9)  # Eq. 1
    torch.testing.assert_close(loss, torch.tensor(0.25))


def test_eps_is_a_mean_activation():
    activation = torch.full((1, 1, 2, 2), 0.5)
    ratio = causal_focus_ratio(activation, torch.ones(1, 2, 2), eps=0.5)
    torch.testing.assert_close(ratio, torch.tensor([[0.5]]))


def test_target_picks_the_true_class_map():
    activation = torch.tensor(
        [[[[1.0, 3.0]], [[2.0, 2.0]]], [[[1.0, 3.0]], [[2.0, 2.0]]]]
    )
    mask = torch.tensor([[[1, 0]], [[1, 0]]], dtype=torch.uint8)
    loss = causal_focus_loss(
        activation, mask, target=torch.tensor([0, 1]), eps=1e-9
    )  # Eq. 2
    torch.testing.assert_close(loss, torch.tensor((0.75 + 0.5) / 2))


def test_one_hot_scores_equal_the_index():
    activation, mask = live_map(3, 4, 5, 5), some_mask(3, 5, 5)
    target = torch.tensor([2, 0, 3])
    scores = torch.nn.functional.one_hot(target, 4).double()
    torch.testing.assert_close(
        causal_focus_loss(activation, mask, target=target),
        causal_focus_loss(activation, mask, target=scores),
    )


def test_ignored_pixels_leave_numerator_and_denominator():
    activation = torch.tensor([[[[1.0, 2.0, 5.0]]]])
    mask = torch.tensor([[[1, 0, 1]]], dtype=torch.bool)
    ignore = torch.tensor([[[False, False, True]]])
    ratio = causal_focus_ratio(activation, mask, ignore=ignore, eps=1e-9)
    torch.testing.assert_close(ratio, torch.tensor([[1 / 3]]))


def test_one_mask_a_class():
    activation = torch.tensor([[[[1.0, 3.0]], [[2.0, 2.0]]]])
    mask = torch.tensor([[[[1, 0]], [[0, 1]]]], dtype=torch.uint8)
    loss = causal_focus_loss(activation, mask, eps=1e-9)  # Eq. 3
    torch.testing.assert_close(loss, torch.tensor((0.75 + 0.5) / 2))


def test_area_resize_by_hand():
    mask = torch.tensor([[1.0, 0.0, 0.0]])  # 3 pixels into 2 cells of 1.5
    torch.testing.assert_close(resize_mask(mask, (1, 2)), torch.tensor([[2 / 3, 0.0]]))
    torch.testing.assert_close(
        resize_mask(torch.tensor([[0.0, 1.0, 0.0]]), (1, 2)),
        torch.tensor([[1 / 3, 1 / 3]]),
    )


def test_no_object_disappears_when_the_mask_shrinks():
    mask = torch.zeros(1, 224, 224)
    mask[:, 100:102, 51:53] = 1
    small = resize_mask(mask, (7, 7))
    torch.testing.assert_close(small.sum() * 32 * 32, mask.sum())


def test_uint8_masks_of_255_are_causal():
    activation, mask = live_map(1, 2, 4, 4), some_mask(1, 4, 4)
    torch.testing.assert_close(
        causal_focus_ratio(activation, mask.byte() * 255),
        causal_focus_ratio(activation, mask),
    )


# ---- the slow reference ----------------------------------------------------


def slow_loss(activation, mask, target, guided, ignore, eps):
    """CFCN, Eq. 1 to 3, pixel by pixel in Python floats; the map's own grid."""
    batch, maps, height, width = activation.shape
    total = 0.0
    for b in range(batch):
        if not guided[b]:
            continue
        outside = []
        for f in range(maps):
            plane = mask[b, f if mask.shape[1] > 1 else 0]
            inside, everything = 0.0, eps * height * width
            for j in range(height):
                for k in range(width):
                    if ignore[b, j, k]:
                        continue
                    value = max(activation[b, f, j, k].item(), 0.0)
                    everything += value
                    inside += value * plane[j, k].item()
            outside.append(1 - inside / everything)
        total += sum(outside) / maps if target is None else outside[target[b]]
    return total / batch


@pytest.mark.parametrize('planes', [1, 3])
@pytest.mark.parametrize('with_target', [False, True])
@pytest.mark.parametrize('seed', range(4))
def test_equals_a_slow_loop_written_from_the_paper(seed, with_target, planes):
    generator = torch.Generator().manual_seed(seed)
    activation = torch.randn(4, 3, 5, 6, dtype=torch.float64, generator=generator)
    mask = torch.rand(4, planes, 5, 6, dtype=torch.float64, generator=generator)
    ignore = torch.rand(4, 5, 6, generator=generator) > 0.8
    guided = torch.tensor([True, False, True, True])
    target = torch.tensor([0, 2, 1, 2]) if with_target else None
    ours = causal_focus_loss(
        activation, mask, target=target, guided=guided, ignore=ignore, eps=1e-3
    )
    slow = slow_loss(activation, mask, target, guided, ignore, 1e-3)
    assert ours.item() == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize('resize', ['mask', 'activation'])
@pytest.mark.parametrize('planes', [1, 3])
def test_gradcheck(planes, resize):
    activation = live_map(2, 3, 3, 4).requires_grad_()
    mask = torch.rand(2, planes, 7, 5, dtype=torch.float64)
    ignore = some_mask(2, 7, 5)

    def loss(a):
        return causal_focus_loss(
            a, mask, target=torch.tensor([1, 2]), ignore=ignore, resize=resize
        )

    assert torch.autograd.gradcheck(loss, activation)


# ---- parts of other losses ---------------------------------------------------------


def test_half_precision_becomes_float32_and_float64_stays():
    for dtype, expected in (
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float64, torch.float64),
    ):
        assert at_least_float32(torch.ones(2, dtype=dtype)).dtype == expected


def test_channels_are_pooled_by_their_weights():
    activation = torch.tensor([[[[1.0, 2.0]], [[3.0, 6.0]]]])
    assert pool_channels(activation).tolist() == [[[[2, 4]]]]
    weights = torch.tensor([[0.25, 0.75]])
    assert pool_channels(activation, weights).tolist() == [[[[2.5, 5]]]]


# ---- guided and unguided ---------------------------------------------------


def test_unguided_images_give_exactly_nothing():
    activation = live_map(3, 2, 4, 4)
    activation[1] = math.nan
    activation[2] = math.inf
    activation.requires_grad_()
    mask, guided = some_mask(3, 8, 8), torch.tensor([True, False, False])
    loss = causal_focus_loss(activation, mask, guided=guided)
    loss.backward()
    alone = causal_focus_loss(activation[:1], mask[:1])
    torch.testing.assert_close(loss, alone / 3)
    assert (activation.grad[1:] == 0).all()


@pytest.mark.parametrize('reduction', ['batch', 'guided'])
def test_batch_without_guided_images_is_zero_with_a_graph(reduction):
    activation = live_map(2, 2, 4, 4).requires_grad_()
    loss = causal_focus_loss(
        activation,
        some_mask(2, 8, 8),
        guided=torch.zeros(2, dtype=torch.bool),
        reduction=reduction,
    )
    assert loss == 0 and loss.grad_fn is not None
    loss.backward()
    assert (activation.grad == 0).all()


def test_reductions_divide_by_batch_or_by_guided():
    activation, mask = live_map(4, 2, 4, 4), some_mask(4, 8, 8)
    guided = torch.tensor([True, False, True, False])
    by_batch = causal_focus_loss(activation, mask, guided=guided)
    by_guided = causal_focus_loss(activation, mask, guided=guided, reduction='guided')
    torch.testing.assert_close(by_guided, 2 * by_batch)
    torch.testing.assert_close(
        by_guided, causal_focus_loss(activation[guided], mask[guided])
    )


def test_batch_reduction_is_the_paper_s_dummy_masks_of_ones():
    activation, mask = live_map(2, 3, 4, 4), some_mask(2, 4, 4)
    dummy = torch.stack([mask[0], torch.ones(4, 4, dtype=torch.bool)])
    torch.testing.assert_close(
        causal_focus_loss(
            activation, mask, guided=torch.tensor([True, False]), eps=TINY
        ),
        causal_focus_loss(activation, dummy, eps=TINY),
    )


# ---- small and large numbers -----------------------------------------------


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize('scale', [0, 1e-7, 1, 5e4])
def test_gradients_are_finite_and_bounded(dtype, scale):
    activation = (live_map(2, 3, 28, 28) * scale).to(dtype).requires_grad_()
    eps = 1e-4
    ratio = causal_focus_ratio(activation, some_mask(2, 56, 56), eps=eps)
    ratio.sum().backward()
    assert ratio.dtype == torch.float32 and ratio.isfinite().all()
    assert activation.grad.dtype == dtype and activation.grad.isfinite().all()
    bound = 1 / (eps * 28 * 28)
    assert activation.grad.abs().max() <= bound * 1.01


def test_huge_maps_do_not_overflow():
    activation = torch.full((1, 1, 64, 64), 3e38, dtype=torch.bfloat16)
    mask = torch.zeros(1, 64, 64)
    mask[:, :16] = 1
    torch.testing.assert_close(
        causal_focus_ratio(activation, mask), torch.tensor([[0.25]])
    )


def test_nan_propagates():
    activation = live_map(1, 1, 2, 2)
    activation[0, 0, 0, 0] = math.nan
    assert causal_focus_loss(activation, torch.ones(1, 2, 2)).isnan()


def test_second_derivative_is_refused():
    activation = live_map(1, 2, 3, 3).requires_grad_()
    loss = causal_focus_loss(activation, some_mask(1, 3, 3)) ** 2
    (gradient,) = torch.autograd.grad(loss, activation, create_graph=True)
    with pytest.raises(RuntimeError, match='once_differentiable'):
        gradient.square().sum().backward()


def test_gradient_behind_a_nan_stays_nan_and_behind_a_negative_value_0():
    activation = live_map(1, 1, 1, 3)
    activation[..., 0], activation[..., 1] = math.nan, -1
    activation.requires_grad_()
    causal_focus_loss(activation, some_mask(1, 1, 3)).backward()
    assert activation.grad[..., 0].isnan()
    assert activation.grad[..., 1] == 0


@pytest.mark.parametrize('planes', [1, 6])
def test_pieces_of_a_batch_give_what_the_batch_gives(planes, monkeypatch):
    activation, mask = live_map(5, 6, 4, 4), some_mask(5, planes, 4, 4)
    whole = causal_focus_ratio(activation, mask)
    for images in (1, 2):  # 2, 2 and 1
        monkeypatch.setattr(
            'cfcn_plugin.functional.focus_kernel.CACHE',
            images * activation[0].numel() * 4,
        )
        torch.testing.assert_close(causal_focus_ratio(activation, mask), whole)


def test_autocast_changes_nothing():
    activation, mask = live_map(2, 3, 5, 5).float(), some_mask(2, 32, 32)
    with torch.autocast('cpu', torch.bfloat16):
        inside = causal_focus_ratio(activation, mask)
    torch.testing.assert_close(inside, causal_focus_ratio(activation, mask))


# ---- what a step costs -----------------------------------------------------


def test_nothing_of_the_map_s_size_is_saved_beyond_the_caller_s_map():
    activation = live_map(2, 64, 8, 8).requires_grad_()
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: saved.append(t) or t, lambda t: t
    ):
        causal_focus_loss(activation, some_mask(2, 32, 32))
    big = [t for t in saved if t.numel() >= activation.numel()]
    assert {t.data_ptr() for t in big} == {activation.data_ptr()}


class LiveMaps(TorchDispatchMode):
    """Counts tensors of the map's size that live at the same time."""

    def __init__(self, numel, mine):
        super().__init__()
        self.numel, self.storages, self.most = numel, {mine: None}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for t in torch.utils._pytree.tree_leaves(out):
            if isinstance(t, torch.Tensor) and t.numel() >= self.numel:
                storage = t.untyped_storage()
                pointer = storage.data_ptr()
                if pointer not in self.storages:
                    self.storages[pointer] = None
                    weakref.finalize(storage, self.storages.pop, pointer, None)
        self.most = max(self.most, len(self.storages) - 1)
        return out


@pytest.mark.parametrize(
    'memory_format', [torch.contiguous_format, torch.channels_last]
)
def test_at_most_one_temporary_of_the_map_s_size_lives(memory_format):
    activation = live_map(2, 64, 8, 8).contiguous(memory_format=memory_format)
    mask = some_mask(2, 32, 32)
    counter = LiveMaps(activation.numel(), activation.untyped_storage().data_ptr())
    with counter:
        causal_focus_loss(activation, mask)
    assert counter.most == 1


def test_torch_compile_takes_it_whole():
    activation = live_map(2, 3, 7, 7).requires_grad_()
    mask, guided = some_mask(2, 32, 32), torch.tensor([True, False])

    def loss(a):
        return causal_focus_loss(a, mask, target=torch.tensor([0, 2]), guided=guided)

    expected = loss(activation)
    (gradient,) = torch.autograd.grad(expected, activation)
    compiled = torch.compile(loss, fullgraph=True, backend='aot_eager')(activation)
    torch.testing.assert_close(compiled, expected)
    torch.testing.assert_close(torch.autograd.grad(compiled, activation)[0], gradient)


@pytest.mark.parametrize('planes', [1, 3])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
def test_what_a_compiled_graph_calls_keeps_the_rules_of_operators(planes, dtype):
    activation = (
        live_map(2, 3, 7, 5)
        .to(dtype)
        .contiguous(memory_format=torch.channels_last)
        .requires_grad_()
    )
    mask, ignore = torch.rand(2, planes, 8, 8), torch.rand(2, 8, 8) > 0.7
    for left_out, resize in ((None, 'mask'), (ignore, 'activation')):
        torch.library.opcheck(
            torch.ops.cfcn_plugin.focus_ratio.default,
            (activation, mask, left_out, 1e-4, resize),
            rtol=1e-2,
            atol=1e-2,
        )


# ---- wrong input -----------------------------------------------------------

WRONG = [
    (
        dict(activation=torch.rand(2, 3, 4)),
        r'`activation`.*\(B, F, h, w\).*\(2, 3, 4\)',
    ),
    (dict(activation=torch.ones(2, 3, 4, 4).long()), '`activation`.*int64'),
    (dict(activation=torch.rand(2, 0, 4, 4)), r'`activation`.*\(2, 0, 4, 4\)'),
    (dict(mask=torch.rand(3, 8, 8)), r'`mask`.*\(2, H, W\).*\(3, 8, 8\)'),
    (dict(mask=torch.rand(2, 2, 8, 8)), r'`mask`.*\(2, 3, H, W\).*\(2, 2, 8, 8\)'),
    (dict(mask=torch.ones(2, 8, 8).long()), '`mask`.*int64'),
    (dict(ignore=torch.ones(2, 4, 4) > 0), r'`ignore`.*\(2, 8, 8\).*\(2, 4, 4\)'),
    (dict(ignore=torch.ones(2, 8, 8).long()), '`ignore`.*int64'),
    (dict(guided=torch.ones(2)), '`guided`.*bool.*float32'),
    (dict(guided=torch.ones(3) > 0), r'`guided`.*\(2,\).*\(3,\)'),
    (dict(target=torch.rand(2, 4)), r'`target`.*\(2, 3\).*\(2, 4\)'),
    (dict(target=torch.rand(2)), '`target`.*int64.*float32'),
    (dict(eps=0), '`eps` must be > 0, got 0'),
    (dict(resize='map'), '`resize`.*map'),
    (dict(reduction='mean'), '`reduction`.*mean'),
]


@pytest.mark.parametrize('wrong,message', WRONG)
def test_wrong_input_names_argument_expected_and_given(wrong, message):
    arguments = dict(activation=torch.rand(2, 3, 4, 4), mask=torch.rand(2, 8, 8))
    arguments.update(wrong)
    with pytest.raises(ValueError, match=message):
        causal_focus_loss(**arguments)


# ---- what a ratio is compared with -----------------------------------------


def test_the_best_map_of_a_grid_is_active_in_the_cell_with_most_of_the_mask():
    mask = torch.zeros(1, 1, 4, 4)
    mask[0, 0, 0, :3] = 1  # two pixels of the first cell, one of the second
    best, uniform = focus_ratio_bounds(torch.zeros(1, 5, 2, 2), mask)
    assert best.tolist() == [[0.5]] and uniform.tolist() == [[3 / 16]]


@pytest.mark.parametrize('resize', ['mask', 'activation'])
def test_bounds_are_the_ratios_of_one_cell_and_of_all_cells(resize):
    generator = torch.Generator().manual_seed(0)
    mask = (torch.rand(2, 3, 10, 12, generator=generator) > 0.7).float()
    ignore = torch.rand(2, 10, 12, generator=generator) > 0.8
    options = dict(ignore=ignore, resize=resize, eps=1e-12)
    cells = torch.eye(12).view(12, 3, 4).expand(2, 12, 3, 4)
    one = torch.stack(
        [causal_focus_ratio(cells, mask[:, k : k + 1], **options) for k in range(3)], 1
    )
    whole = causal_focus_ratio(torch.ones(2, 3, 3, 4), mask, **options)
    best, uniform = focus_ratio_bounds(
        torch.zeros(2, 7, 3, 4), mask, ignore=ignore, resize=resize
    )
    torch.testing.assert_close(best, one.amax(-1))
    torch.testing.assert_close(uniform, whole)
