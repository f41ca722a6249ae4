"""A pasted box brings its own mask, and the label by its area."""

from functools import partial

import pytest
import torch
from mix_batches import batch, mixed_two, seed_all

from cfcn_plugin.data import cutmix
from cfcn_plugin.data.batch_augments.cutmix import draw_box

CUTMIX = partial(cutmix, alpha=1.0)


def test_the_pasted_region_carries_its_own_mask_and_nothing_else():
    inputs, _, masks = mixed_two(CUTMIX)
    images, _, before = batch(2)
    pasted = (inputs[0] == images[1]).all(0)
    assert 0 < pasted.float().mean() < 1
    own, theirs = masks.components
    assert torch.equal(own.mask[0, 0], before.mask[0, 0] * ~pasted)
    assert torch.equal(theirs.mask[0, 0], before.mask[1, 0] * pasted)


def test_unguided_component_has_no_weight_and_its_region_is_ignored():
    inputs, _, masks = mixed_two(CUTMIX, guided=[True, False])
    pasted = (inputs[0] == batch(2)[0][1]).all(0)
    own, theirs = masks.components
    assert own.weight[0] > 0 and own.weight[1] == 0
    assert theirs.weight[0] == 0 and theirs.weight[1] > 0
    assert torch.equal(masks.ignore[0] == 1, pasted)
    assert masks.guided.all()


@pytest.mark.parametrize('minmax', [None, (0.25, 0.75)])
def test_a_box_lies_in_the_image_and_its_area_is_the_label_of_the_other(minmax):
    seed_all(0)
    for _ in range(20):
        (rows, columns), stays = draw_box((8, 12), 0.6, minmax, True)
        plane = torch.zeros(8, 12)
        plane[rows, columns] = 1
        assert plane.sum() == (rows.stop - rows.start) * (columns.stop - columns.start)
        assert stays == pytest.approx(1 - plane.mean().item())


def test_a_label_by_the_drawn_ratio_ignores_what_lies_outside():
    assert draw_box((8, 12), 0.6, None, False)[1] == 0.6
