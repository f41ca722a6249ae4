"""Right is exactly right."""

import numpy as np
import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from cfcn_plugin.mm.evaluation.correctness import (
    accuracies,
    is_right,
    labels_of,
    right_answers,
)


@pytest.mark.parametrize(
    'predicted,truth,right',
    [
        ([1], [1], True),
        ([1], [0], False),
        ([0, 2], [2, 0], True),
        ([0], [0, 2], False),
        ([0, 1, 2], [0, 2], False),
        ([], [], True),
        ([], [1], False),
    ],
)
def test_right_is_exactly_the_true_labels(predicted, truth, right):
    sample = DataSample().set_gt_label(torch.tensor(truth, dtype=torch.long))
    sample.set_pred_label(torch.tensor(predicted, dtype=torch.long))
    assert is_right(sample, sample) is right


@pytest.mark.parametrize(
    'labels', [3, [3], np.int64(3), np.array([3]), torch.tensor(3), torch.tensor([3])]
)
def test_labels_of_any_kind_are_the_same(labels):
    assert labels_of(labels) == {3}


def test_accuracy_is_over_those_that_have_the_condition():
    assert accuracies(
        [dict(a=True, b=False), dict(a=True), dict(a=False, b=False)]
    ) == pytest.approx(dict(a=200 / 3, b=0, mean=100 / 3, worst=0))


@pytest.mark.parametrize(
    'model',
    [
        dict(type='GuidedTimmClassifier', model_name='resnet10t', num_classes=3),
        dict(
            type='GuidedClassifier',
            backbone=dict(type='CFCNNet', filters=[4]),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=3),
        ),
        dict(
            type='GuidedClassifier',
            backbone=dict(type='CFCNNet', filters=[4]),
            head=dict(type='CausalFocusHead', num_classes=3, multi_label=True),
        ),
        dict(
            type='GuidedClassifier',
            backbone=dict(type='CFCNNet', filters=[4]),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='MultiLabelLinearClsHead', num_classes=3),
        ),
    ],
    ids=['timm', 'linear', 'several labels, ours', 'several labels, stock'],
)
@torch.no_grad()
def test_answers_are_those_of_the_model_s_prediction(model):
    torch.manual_seed(0)
    model, inputs = MODELS.build(model).eval(), torch.randn(6, 3, 16, 16)
    samples = model(inputs, mode='predict')
    for sample in samples:
        sample.set_gt_label(sample.pred_label)
    assert right_answers(model, inputs, samples) == [True] * 6
    others = set(range(3)) - set(samples[2].pred_label.tolist())
    samples[2].set_gt_label(sorted(others))
    assert right_answers(model, inputs, samples)[1:4] == [True, False, True]
