"""Eq. 1 to 3 as printed, in slow loops."""

import pytest
import torch
from batches import guidance_batch

from cfcn_plugin.guidance import LiteralFocusLoss


def seen(target, mask, classes=None):
    generator = torch.Generator().manual_seed(0)
    activation = torch.rand(2, 3, 4, 4, dtype=torch.float64, generator=generator) - 0.3
    activation[0, 1] = -1  # dead
    activation[1, 2] = 1e-5 * activation[1, 2].relu()  # nearly
    return guidance_batch(
        images=torch.zeros(2, 3, 4, 4),
        maps=activation,
        logits=torch.zeros(2, 3),
        mask=mask,
        ignore=None,
        guided=torch.tensor([True, True]),
        target=target,
        classes=classes,
    )


def share(mask, one):
    """sum_jk (A * A_f)_jk / sum_jk (A_f)_jk, and 0 for a dead map."""
    inside = total = 0.0
    for j in range(4):
        for k in range(4):
            value = max(one[j, k].item(), 0)
            inside, total = inside + mask[j, k].item() * value, total + value
    return inside / total if total else 0.0


MASK = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
MASK[0, 0, :2], MASK[1, 0, 1:3, 1:] = 1, 1


def test_eq_1_is_the_mean_over_maps():
    one = seen(torch.tensor([0, 2]), MASK)
    expected = [
        1 - sum(share(MASK[i, 0], one.maps[0][i, f]) for f in range(3)) / 3
        for i in range(2)
    ]
    found = LiteralFocusLoss(2.0)(one)
    assert found['focus'].item() == pytest.approx(1 - sum(expected) / 2, rel=1e-5)
    assert found['loss_focus'].item() == pytest.approx(sum(expected), rel=1e-5)


def test_eq_2_is_the_true_class_s_map():
    one = seen(torch.tensor([1, 2]), MASK)
    expected = [1 - share(MASK[i, 0], one.maps[0][i, c]) for i, c in enumerate((1, 2))]
    found = LiteralFocusLoss(channels='target')(one)
    assert found['loss_focus'].item() == pytest.approx(sum(expected) / 2, rel=1e-5)
    assert expected[0] == 1  # a dead map costs all


def test_eq_3_counts_a_class_without_a_mask_as_context():
    masks = torch.stack([MASK[:, 0], 1 - MASK[:, 0]], 1)
    classes = torch.tensor([[0, 2], [1, -1]])
    one = seen(torch.tensor([[1, 0, 1], [0, 1, 0]]), masks, classes)
    empty = torch.zeros(4, 4)
    expected = []
    for image in range(2):
        plane = {c: masks[image, i] for i, c in enumerate(classes[image].tolist())}
        shares = [share(plane.get(c, empty), one.maps[0][image, c]) for c in range(3)]
        expected.append(1 - sum(shares) / 3)
    found = LiteralFocusLoss(channels='per_class')(one)
    assert found['loss_focus'].item() == pytest.approx(sum(expected) / 2, rel=1e-5)
