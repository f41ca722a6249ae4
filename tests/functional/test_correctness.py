"""Right is exactly right."""

import pytest
import torch

from cfcn_plugin.functional.correctness import is_right, label_rows


def test_one_label_is_right_where_its_logit_is_the_largest():
    logits, labels = torch.tensor([[0.1, -1.0], [-3, -2]]), torch.tensor([0, 0])
    assert is_right(logits, labels).tolist() == [True, False]
    assert is_right(logits.argmax(1), labels).tolist() == [True, False]


def test_of_several_labels_exactly_the_true_ones_are_predicted():
    logits = torch.tensor([[1.0, -1, 2], [1, -1, -2], [1, 1, 1]])
    assert is_right(logits, torch.tensor([[1, 0, 1]] * 3)).tolist() == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    'predicted,target',
    [((2, 3), (3,)), ((2, 3), (2, 2)), ((2, 3, 1), (2,)), ((2,), (2, 3))],
)
def test_shapes_that_do_not_fit_are_told(predicted, target):
    with pytest.raises(ValueError, match=r'expected logits \(B, C\) or labels \(B,\)'):
        is_right(torch.zeros(predicted), torch.zeros(target, dtype=torch.long))


def test_no_label_is_right_by_logits_that_are_nan():
    with pytest.raises(ValueError, match='logits are NaN'):
        is_right(torch.tensor([[torch.nan, 0], [1, 0]]), torch.tensor([0, 0]))


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int32, torch.int64])
def test_labels_of_any_whole_type_become_rows(dtype):
    labels = torch.tensor([2, 0], dtype=dtype)
    assert label_rows(labels).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert label_rows(labels, 4).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    assert label_rows(labels[:0], 4).shape == (0, 4)


@pytest.mark.parametrize(
    'target,classes',
    [
        ([0, 3], 3),
        ([-1, 0], None),
        ([0.0, 1.0], None),
        ([True, False], None),
        ([[0.5, 0.5]], None),
        ([[0, 1]], 3),
    ],
)
def test_what_is_no_label_is_told(target, classes):
    with pytest.raises(ValueError, match=r'`target` must be labels \(B,\), whole'):
        label_rows(torch.tensor(target), classes)
