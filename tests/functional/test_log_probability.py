"""Distributions of class scores: by hand, and of sum 1."""

import torch

from cfcn_plugin.functional.log_probability import log_probabilities

SCORES = torch.tensor([[1.0, 3.0]]).log().double()


def test_classes_share_one_distribution():
    torch.testing.assert_close(
        log_probabilities(SCORES).exp(), torch.tensor([[[0.25, 0.75]]]).double()
    )


def test_labels_are_each_present_or_absent():
    expected = torch.tensor([[[1 / 2, 1 / 2], [3 / 4, 1 / 4]]]).double()
    torch.testing.assert_close(log_probabilities(SCORES, True).exp(), expected)


def test_half_precision_and_large_scores_are_finite():
    scores = torch.tensor([[6e4, -6e4]], dtype=torch.float16)
    for multi_label in (False, True):
        found = log_probabilities(scores, multi_label)
        assert found.dtype == torch.float32 and found.isfinite().all()
        torch.testing.assert_close(found.exp().sum(-1), torch.ones(found.shape[:2]))
