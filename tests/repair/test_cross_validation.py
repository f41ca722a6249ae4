"""The report's figures, computed by hand for four images of two classes."""

import pytest
import torch

from cfcn_plugin.repair.cross_validation import Fits, RepairReport
from cfcn_plugin.repair.logistic import Linear
from cfcn_plugin.repair.views import Views

ALWAYS_FIRST = Linear(torch.zeros(2, 1), torch.tensor([1.0, 0.0]))


def fits(targets):
    return Fits(
        Views(
            plain=torch.zeros(4, 1),
            swapped=torch.zeros(4, 1, 1),
            targets=targets,
            others=torch.tensor([[2], [3], [0], [1]]),
            folds=torch.tensor([0, 1, 0, 1]),
            left_out=0,
        ),
        classes=2,
        bias=True,
    )


def report(gain, error):
    return RepairReport(
        images=4,
        left_out=0,
        strength=1.0,
        changed_before=0,
        changed_after=0,
        swapped_before=0.5,
        swapped_after=0.5 + gain,
        swapped_error=error,
        plain_before=1,
        plain_after=1,
    )


def test_the_error_of_the_gain_is_from_image_to_image():
    labels = torch.tensor([0, 0, 1, 1])
    # after: all right but the last image
    after = torch.tensor([[1.0, 0], [1, 0], [0, 1], [1, 0]])
    got = fits(labels).report(1.0, ALWAYS_FIRST, (after, after[:, None]))
    assert got.swapped_before == 0.5 and got.swapped_after == 0.75
    # gains 0, 0, 1, 0, each a quarter of the mean, which is 1/4
    assert got.swapped_error == pytest.approx((3 * 0.25**2 + 0.75**2) ** 0.5 / 4)
    assert not got.is_better


def test_the_error_of_several_labels_is_that_of_their_mean():
    rows = torch.tensor([[1, 0], [1, 0], [0, 1], [0, 1]])
    after = torch.tensor([[1.0, -1], [1, -1], [-1, 1], [1, -1]])
    # before: the first label always, the second never
    never = Linear(torch.zeros(2, 1), torch.tensor([1.0, -1.0]))
    got = fits(rows).report(1.0, never, (after, after[:, None]))
    assert got.swapped_before == 0.5 and got.swapped_after == 0.75
    assert got.swapped_error == pytest.approx((3 * 0.25**2 + 0.75**2) ** 0.5 / 4)


def test_a_gain_that_chance_can_give_is_told():
    told = str(report(gain=0.1, error=0.06)).splitlines()[-1]
    assert told == (
        'The gain on other backgrounds is 10.0 points, with a standard error of 6.0: '
        'no more than chance can give. Masks of more images would tell.'
    )
    assert 'chance' not in str(report(gain=0.1, error=0.04))
