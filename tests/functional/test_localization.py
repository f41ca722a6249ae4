"""Localisation numbers on images small enough for a hand."""

import pytest
import torch

from cfcn_plugin.functional.localization import localization, reduce_channels

QUARTER = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def scores_of(saliency, mask, ignore=None):
    values = localization(
        torch.tensor([saliency], dtype=torch.float32),
        torch.tensor([mask], dtype=torch.uint8),
        None if ignore is None else torch.tensor([ignore], dtype=torch.bool),
    )
    return {name: value.item() for name, value in values.items()}


@pytest.mark.parametrize('saliency, mask, ignore, expected', [
    # all saliency on the mask, which is a quarter
    (QUARTER, QUARTER, None, (1, 4, 1, 1)),
    # uniform saliency: the mask's share; ties go by position, so 3 of 4 pixels hit here
    ([[1, 1], [1, 1]], [[1, 1], [1, 0]], None, (0.75, 1, 1, 1)),
    ([[1, 1], [1, 1]], [[0, 1], [1, 0]], None, (0.5, 1, 0, 1 / 3)),
    # hottest pixel outside; of the two hottest (3, 4) one is in the mask
    ([[1, 2], [3, 4]], [[1, 0], [1, 0]], None, (0.4, 0.8, 0, 1 / 3)),
    # hottest inside
    ([[1, 2], [3, 4]], [[0, 0], [0, 1]], None, (0.4, 1.6, 1, 1)),
    # nothing on the mask
    ([[0, 0], [0, 4]], [[1, 0], [0, 0]], None, (0, 0, 0, 0)),
    # the hot pixel is ignored: 1 of 1 + 2 + 3, a third of what is known
    ([[1, 2], [3, 4]], [[1, 0], [0, 0]], [[0, 0], [0, 1]], (1 / 6, 0.5, 0, 0)),
    # a mask's pixel that is ignored is none
    ([[1, 2], [3, 4]], [[0, 0], [1, 1]], [[0, 0], [0, 1]], (0.5, 1.5, 1, 1)),
    # no saliency, no mask
    ([[0, 0], [0, 0]], [[1, 0], [0, 0]], None, (0, 0, 0, 0)),
    ([[1, 2], [3, 4]], [[0, 0], [0, 0]], None, (0, 0, 0, 0)),
    # saliency only where it is ignored
    ([[0, 0], [0, 4]], [[1, 0], [0, 0]], [[0, 0], [0, 1]], (0, 0, 0, 0)),
    ([[1, 2], [3, 4]], [[1, 1], [1, 1]], [[1, 1], [1, 1]], (0, 0, 0, 0)),
])  # fmt: skip
def test_scores_by_hand(saliency, mask, ignore, expected):
    names = ('energy', 'energy_by_area', 'pointing', 'iou')
    assert scores_of(saliency, mask, ignore) == pytest.approx(
        dict(zip(names, expected)), abs=1e-6
    )


@pytest.mark.parametrize('grid', [(1, 1), (3, 5), (7, 7), (40, 30)])
def test_uniform_map_has_the_mean_energy_on_any_grid(grid):
    mask = torch.zeros(1, 20, 24)
    mask[:, 3:9, 5:20] = 1
    ignore = torch.zeros(1, 20, 24, dtype=torch.bool)
    ignore[:, 8:12] = True
    scores = localization(torch.full((1, *grid), 0.3), mask, ignore)
    torch.testing.assert_close(scores['energy_by_area'], torch.ones(1))


def test_scores_are_at_the_masks_size():
    saliency = [[1.0, 0.0], [0.0, 0.0]]
    mask = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    # stretched by hand: rows 1, 3/4, 1/4, 0 of the hot corner, in both directions
    assert scores_of(saliency, mask) == pytest.approx(
        dict(energy=1 / 4, energy_by_area=4, pointing=1, iou=1)
    )


def test_scaling_the_map_changes_nothing():
    saliency, mask = torch.rand(2, 5, 5) + 0.1, torch.rand(2, 10, 10) > 0.5
    torch.testing.assert_close(
        localization(saliency, mask), localization(1e-3 * saliency, mask)
    )


def test_scores_are_float32_one_an_image():
    for value in localization(torch.rand(3, 4, 4), torch.ones(3, 8, 8)).values():
        assert (value.shape, value.dtype) == ((3,), torch.float32)


# ---- the map that is looked at ---------------------------------------------


def maps():
    return torch.tensor([[[[1.0, -2.0]], [[3.0, 4.0]]], [[[5.0, 6.0]], [[-7.0, 8.0]]]])


@pytest.mark.parametrize('target, expected', [
    (None, [[[2., 2.]], [[2.5, 7.]]]),
    (torch.tensor([0, 1]), [[[1., 0.]], [[0., 8.]]]),
    (torch.tensor([[0., 1.], [1., 0.]]), [[[3., 4.]], [[5., 6.]]]),
    (torch.tensor([[1., 1.], [0., 0.]]), [[[2., 2.]], [[0., 0.]]]),
    (torch.tensor([[0.25, 0.75], [0.5, 0.5]]), [[[2.5, 3.]], [[2.5, 7.]]]),
])  # fmt: skip
def test_channels_by_hand(target, expected):
    torch.testing.assert_close(reduce_channels(maps(), target), torch.tensor(expected))
