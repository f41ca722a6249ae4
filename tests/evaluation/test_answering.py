"""Right is exactly right."""
import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from cfcn_plugin.evaluation.answering import accuracies, is_right, labels_of


@pytest.mark.parametrize('predicted,truth,right', [
    ([1], [1], True), ([1], [0], False),
    ([0, 2], [2, 0], True), ([0], [0, 2], False), ([0, 1, 2], [0, 2], False),
    ([], [], True), ([], [1], False)])
def test_right_is_exactly_the_true_labels(predicted, truth, right):
    sample = DataSample().set_gt_label(torch.tensor(truth, dtype=torch.long))
    sample.set_pred_label(torch.tensor(predicted, dtype=torch.long))
    assert is_right(sample, sample) is right


@pytest.mark.parametrize('labels', [3, [3], np.int64(3), np.array([3]),
                                    torch.tensor(3), torch.tensor([3])])
def test_labels_of_any_kind_are_the_same(labels):
    assert labels_of(labels) == {3}


def test_accuracy_is_over_those_that_have_the_condition():
    assert accuracies([dict(a=True, b=False), dict(a=True), dict(a=False, b=False)]) \
        == pytest.approx(dict(a=200 / 3, b=0))
    assert accuracies([]) == {}
