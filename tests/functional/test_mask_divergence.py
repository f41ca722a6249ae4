"""KL of a mask from a map's softmax: by hand, its bounds, and a dead map."""

import math

import pytest
import torch

from cfcn_plugin.functional.mask_divergence import mask_divergence


def divergence(saliency, causal, known=None, temperature=1.0):
    saliency = torch.tensor([saliency], dtype=torch.float64)
    known = torch.ones_like(saliency) if known is None else torch.tensor([known])
    return mask_divergence(
        saliency,
        torch.tensor([causal]).double(),
        known,
        saliency[0].numel(),
        temperature,
    )[0]


def test_by_hand_of_soft_cells():
    # A' is [1, 0]: p = [e, 1] / (e + 1), q = [1/4, 3/4]
    found = divergence([[5.0, 3.0]], [[0.25, 0.75]])
    expected = 0.25 * math.log(0.25 / math.e) + 0.75 * math.log(0.75)
    assert found.item() == pytest.approx(expected + math.log(math.e + 1))


@pytest.mark.parametrize('temperature', [1.0, 0.5, 0.1])
def test_a_map_that_is_the_mask_has_the_least_cost_of_the_docstring(temperature):
    mask = [[1.0] + [0.0] * 9]
    best = divergence(mask, mask, temperature=temperature).item()
    sharpness = 1 / temperature
    assert best == pytest.approx(
        math.log(1 + 0.1 * (math.exp(sharpness) - 1)) - math.log(0.1) - sharpness
    )
    if temperature == 1:
        assert best == pytest.approx(1.46, abs=5e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = torch.rand(1, 10, generator=generator).tolist()
        assert divergence(other, mask, temperature=temperature) > best


def test_scale_and_offset_of_a_map_change_nothing():
    saliency, mask = torch.tensor([[4.0, 1.0], [0.0, 2.0]]), [[1.0, 1.0], [0.0, 0.0]]
    expected = divergence(saliency.tolist(), mask)
    for other in (1e-3 * saliency, 1e4 * saliency, saliency + 7):
        torch.testing.assert_close(divergence(other.tolist(), mask), expected)


def test_a_uniform_mask_and_a_flat_map_cost_nothing():
    ones = [[1.0, 1.0], [1.0, 1.0]]
    for flat in (0.0, 3.0):
        assert divergence([[flat] * 2] * 2, ones).item() == pytest.approx(0)
    # by a mask of a quarter a flat map costs log 4
    assert divergence(
        [[0.0] * 2] * 2, [[1.0, 0.0], [0.0, 0.0]]
    ).item() == pytest.approx(math.log(4))


def test_an_empty_mask_costs_nothing():
    assert divergence([[1.0, 2.0]], [[0.0, 0.0]]) == 0


def test_a_cell_that_is_ignored_has_no_part():
    known = divergence(
        [[4.0, 1.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]
    )
    expected = math.log(math.e + math.exp(1 / 4) + 1) - 1
    assert known.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_is_negative_inside_the_mask_and_positive_outside():
    saliency = torch.tensor([[[4.0, 1.0], [0.0, 2.0]]], requires_grad=True)
    mask = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    mask_divergence(saliency, mask, torch.ones_like(mask), 4).sum().backward()
    assert saliency.grad[0, 0, 1] < 0 < saliency.grad[0, 1, 1]


def test_gradient_of_a_dead_map_is_finite():
    saliency = torch.zeros(1, 2, 2, requires_grad=True)
    mask = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    mask_divergence(saliency, mask, torch.ones_like(mask), 4).sum().backward()
    assert saliency.grad.isfinite().all()
