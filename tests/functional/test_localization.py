"""Localisation numbers on images small enough for a hand."""
import pytest
import torch

from cfcn_plugin.functional.localization import focus_of_maps, focus_scores, one_map
from cfcn_plugin.guidance import GuidanceBatch

QUARTER = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def scores_of(saliency, mask, ignore=None):
    values = focus_scores(
        torch.tensor([saliency], dtype=torch.float32),
        torch.tensor([mask], dtype=torch.uint8),
        None if ignore is None else torch.tensor([ignore], dtype=torch.bool))
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
])  # yapf: disable
def test_scores_by_hand(saliency, mask, ignore, expected):
    names = ('energy', 'energy_by_area', 'pointing', 'iou')
    assert scores_of(saliency, mask, ignore) == pytest.approx(
        dict(zip(names, expected)), abs=1e-6)


@pytest.mark.parametrize('grid', [(1, 1), (3, 5), (7, 7), (40, 30)])
def test_uniform_heat_has_the_mean_energy_on_any_grid(grid):
    mask = torch.zeros(1, 20, 24)
    mask[:, 3:9, 5:20] = 1
    ignore = torch.zeros(1, 20, 24, dtype=torch.bool)
    ignore[:, 8:12] = True
    scores = focus_scores(torch.full((1, *grid), 0.3), mask, ignore)
    torch.testing.assert_close(scores['energy_by_area'], torch.ones(1))


def test_scores_are_at_the_masks_size():
    saliency = [[1., 0.], [0., 0.]]
    mask = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    # stretched by hand: rows 1, 3/4, 1/4, 0 of the hot corner, in both directions
    assert scores_of(saliency, mask) == pytest.approx(
        dict(energy=1 / 4, energy_by_area=4, pointing=1, iou=1))


def test_scaling_the_heat_changes_nothing():
    saliency, mask = torch.rand(2, 5, 5) + 0.1, torch.rand(2, 10, 10) > 0.5
    torch.testing.assert_close(
        focus_scores(saliency, mask), focus_scores(1e-3 * saliency, mask))


def test_scores_are_float32_one_an_image():
    for value in focus_scores(torch.rand(3, 4, 4), torch.ones(3, 8, 8)).values():
        assert (value.shape, value.dtype) == ((3, ), torch.float32)


# ---- the map that is looked at ---------------------------------------------


def maps():
    return torch.tensor([[[[1., -2.]], [[3., 4.]]], [[[5., 6.]], [[-7., 8.]]]])


@pytest.mark.parametrize('target, expected', [
    (None, [[[2., 2.]], [[2.5, 7.]]]),
    (torch.tensor([0, 1]), [[[1., 0.]], [[0., 8.]]]),
    (torch.tensor([[0., 1.], [1., 0.]]), [[[3., 4.]], [[5., 6.]]]),
    (torch.tensor([[1., 1.], [0., 0.]]), [[[2., 2.]], [[0., 0.]]]),
    (torch.tensor([[0.25, 0.75], [0.5, 0.5]]), [[[2.5, 3.]], [[2.5, 7.]]]),
])  # yapf: disable
def test_one_map_by_hand(target, expected):
    torch.testing.assert_close(one_map(maps(), target), torch.tensor(expected))


def seen_by(activation, mask, target):
    return GuidanceBatch(
        inputs=torch.zeros(len(mask), 3, 4, 4),
        activation=activation,
        cls_score=torch.zeros(len(mask), 2),
        mask=mask,
        ignore=None,
        guided=torch.ones(len(mask), dtype=torch.bool),
        target=target)


def test_maps_that_are_classes_show_the_true_class():
    mask = torch.tensor([[[[1, 0]]], [[[1, 0]]]])
    seen = seen_by(maps(), mask, torch.tensor([0, 1]))
    assert focus_of_maps(seen, maps_are_classes=True)['energy'].tolist() == [1, 0]
    torch.testing.assert_close(
        focus_of_maps(seen)['energy'], torch.tensor([1 / 2, 2.5 / 9.5]))


def test_last_of_several_maps_is_looked_at():
    mask = torch.tensor([[[[1, 0]]], [[[1, 0]]]])
    several = seen_by((torch.rand(2, 9, 1, 4), maps()), mask, torch.tensor([0, 1]))
    alone = seen_by(maps(), mask, torch.tensor([0, 1]))
    torch.testing.assert_close(focus_of_maps(several), focus_of_maps(alone))


def test_masks_of_several_classes_are_joined():
    planes = torch.tensor([[[[1, 0]], [[0, 1]]], [[[1, 0]], [[1, 0]]]])
    joined = planes.amax(1, keepdim=True)
    target = torch.tensor([0, 1])
    torch.testing.assert_close(
        focus_of_maps(seen_by(maps(), planes, target)),
        focus_of_maps(seen_by(maps(), joined, target)))


def test_scores_have_no_graph():
    activation = maps().requires_grad_()
    seen = seen_by(activation, torch.ones(2, 1, 1, 2), torch.tensor([0, 1]))
    assert not any(v.requires_grad for v in focus_of_maps(seen).values())


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_map_that_is_no_number_is_an_error_naming_the_images(value):
    activation = torch.rand(4, 2, 3, 3)
    activation[1, 0, 2, 2] = activation[3, 1, 0, 0] = value
    seen = seen_by(activation, torch.ones(4, 1, 3, 3), torch.zeros(4, dtype=torch.long))
    with pytest.raises(ValueError, match=r'NaN or infinite values, in images \[1, 3\]'):
        focus_of_maps(seen)
