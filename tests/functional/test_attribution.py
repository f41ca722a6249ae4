"""Explanations against hand-computed numbers and slow loops."""

import pytest
import torch

from cfcn_plugin.functional.attribution import (
    channel_weights,
    class_score,
    grad_cam,
    normalize,
    soft_mask,
)


def test_score_of_the_true_class_or_of_several_by_their_fraction():
    scores = torch.tensor([[1.0, 2.0, 4.0], [3.0, 5.0, 7.0]])
    assert class_score(scores, torch.tensor([2, 0])).tolist() == [4, 3]
    several = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.25, 0.75]])
    assert class_score(scores, several).tolist() == [2.5, 6.5]
    assert class_score(scores, torch.zeros(2, 3)).tolist() == [0, 0]


def test_grad_cam_by_hand():
    activation = torch.tensor([[[[4.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [1.0, 2.0]]]])
    gradient = torch.tensor([[[[1.0, 1.0], [1.0, 1.0]], [[-8.0, 0.0], [0.0, 0.0]]]])
    # weights 1 and -2: [[4 - 2, 0], [0 - 2, 2 - 4]], rectified
    assert grad_cam(activation, gradient).tolist() == [[[2, 0], [0, 0]]]


def test_grad_cam_equals_a_slow_loop():
    generator = torch.Generator().manual_seed(0)
    activation, gradient = torch.randn(2, 2, 3, 4, 5, generator=generator).double()
    found = grad_cam(activation, gradient)
    for b in range(2):
        for j in range(4):
            for k in range(5):
                total = 0.0
                for f in range(3):
                    weight = sum(gradient[b, f].flatten().tolist()) / 20
                    total += weight * activation[b, f, j, k].item()
                assert found[b, j, k].item() == pytest.approx(max(total, 0))


def test_half_precision_is_summed_in_float32():
    activation = torch.full((1, 2, 2, 2), 6e4, dtype=torch.float16)
    with torch.autocast('cpu', torch.bfloat16):
        saliency = grad_cam(activation, torch.ones_like(activation))
    assert saliency.dtype == torch.float32
    assert (saliency == 2 * activation[0, 0].float()).all()


def test_each_map_is_divided_by_its_largest_value_and_a_dead_one_stays():
    saliency = torch.tensor([[[4.0, 0.0], [1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert normalize(saliency, 4).tolist() == [[[1, 0], [0.25, 0.5]], [[0, 0], [0, 0]]]


def test_soft_mask_is_a_half_at_its_threshold():
    found = soft_mask(torch.tensor([0.0, 0.5, 1.0]), 0.5, 10.0)
    torch.testing.assert_close(found, torch.tensor([0.0066929, 0.5, 0.9933071]))


def test_channels_matter_by_their_fraction_of_the_gradient_for_or_against():
    gradient = torch.tensor(
        [
            [[[1.0, 0.0], [1.0, 0.0]], [[-3.0, -3.0], [0.0, 0.0]]],
            [[[0.0, 0.0], [0.0, 0.0]], [[2.0, -2.0], [0.0, 0.0]]],
        ]
    )
    # means 1/2 and -3/2; then nothing, and nothing in the sum
    assert channel_weights(gradient).tolist() == [[0.25, 0.75], [0.5, 0.5]]
