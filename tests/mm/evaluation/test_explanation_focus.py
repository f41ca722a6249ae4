"""Focus of explanations, from a data set to the log."""

import copy

import numpy as np
import pytest
import torch
from mmpretrain.registry import METRICS, MODELS
from mmpretrain.structures import DataSample
from torch import nn

from cfcn_plugin.features.explanations import EXPLANATIONS, grad_cam
from cfcn_plugin.functional.localization import localization
from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.mm.evaluation import ExplanationFocus
from cfcn_plugin.mm.evaluation.model_aware_metric import EvalBatch

CNN = dict(
    type='GuidedClassifier',
    backbone=dict(type='CFCNNet', filters=[4, 6], strides=2, dropout=0.0),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3, in_channels=None),
)


def build():
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(CNN)).eval()


def shown(model, count=5, unguided=(3,), labels=None):
    """Images with a mask of one or two planes and an ignored column."""
    rng = np.random.default_rng(0)
    samples = []
    for index in range(count):
        sample = DataSample().set_gt_label(
            [index % 3] if labels is None else labels[index]
        )
        sample.set_field(index not in unguided, 'guided')
        if sample.guided:
            sample.set_field(
                rng.integers(0, 2, (2, 32, 32), np.uint8), 'activation_mask'
            )
            ignore = np.zeros((32, 32), np.uint8)
            ignore[:, index] = 1
            sample.set_field(ignore, 'ignore_mask')
        samples.append(sample)
    images = list(torch.from_numpy(rng.normal(size=(count, 3, 32, 32))).float())
    data = model.data_preprocessor(dict(inputs=images, data_samples=samples))
    with torch.no_grad():
        predicted = model(**data, mode='predict')
    return EvalBatch(images, data['inputs'], data['masks'], predicted, None)


def part(whole, wanted):
    masks = whole.masks
    return EvalBatch(
        whole.images[wanted],
        whole.inputs[wanted],
        MaskBatch(
            masks.mask[wanted],
            masks.ignore[wanted],
            masks.guided[wanted],
            None,
            masks.cropped_out,
        ),
        whole.samples[wanted],
        None,
    )


@pytest.mark.parametrize('method', EXPLANATIONS)
def test_numbers_are_those_of_the_saliency_map_against_the_mask(method):
    model = build()
    seen = shown(model)
    values = ExplanationFocus(method).evaluate_batch(model, seen)
    target = nn.functional.one_hot(torch.arange(5) % 3, 3).float()
    saliency = EXPLANATIONS[method](model, seen.inputs, target).saliency
    expected = localization(saliency, seen.masks.mask.amax(1), seen.masks.ignore)
    expected['dead'] = torch.zeros(5)
    assert values[3] is None
    for index in (0, 1, 2, 4):
        assert values[index] == pytest.approx(
            {name: value[index].item() for name, value in expected.items()}, abs=1e-6
        )
    assert values[0]['energy'] > 0


def test_several_labels_are_explained_together_and_none_is_not_measured():
    model = build()
    seen = shown(model, 3, unguided=(), labels=[[0, 2], [], [1]])
    values = ExplanationFocus('grad_cam').evaluate_batch(model, seen)
    saliency = grad_cam(
        model, seen.inputs[:1], torch.tensor([[0.5, 0.0, 0.5]])
    ).saliency
    expected = localization(
        saliency, seen.masks.mask[:1].amax(1), seen.masks.ignore[:1]
    )['energy']
    assert values[0]['energy'] == pytest.approx(expected.item())
    assert values[1] is None and values[2] is not None


@pytest.mark.parametrize('method', EXPLANATIONS)
def test_any_cut_into_batches_and_ranks_gives_the_same(method):
    model = build()
    whole = shown(model)
    metric = ExplanationFocus(method)
    expected = metric.compute_metrics(metric.evaluate_batch(model, whole))
    rows = [
        metric.evaluate_batch(model, part(whole, slice(i, i + 1)))[0] for i in range(5)
    ]
    assert metric.compute_metrics(rows) == pytest.approx(expected, rel=1e-4)
    assert (expected['guided'], expected['unguided']) == (4, 1)


def test_dead_network_scores_0():
    model = build()
    nn.init.zeros_(model.head.fc.weight)
    values = ExplanationFocus('grad_cam').evaluate_batch(model, shown(model))
    assert values[0] == dict(energy=0, energy_by_area=0, pointing=0, iou=0, dead=1)


def test_no_masks_or_no_guided_image_measures_nothing():
    model = build()
    seen = shown(model, 2, unguided=(0, 1))
    metric = ExplanationFocus('grad_cam')
    assert metric.evaluate_batch(model, seen) == [None, None]
    assert metric.evaluate_batch(
        model, EvalBatch(seen.images, seen.inputs, None, seen.samples, None)
    ) == [None, None]


def test_values_are_numbers_of_python_and_the_log_has_the_method_s_name():
    model = build()
    seen = shown(model)
    metric = METRICS.build(dict(type='ExplanationFocus', method='input_x_gradient'))
    for values in metric.evaluate_batch(model, seen):
        assert all(type(v) is float for v in (values or {}).values())
    metric.observe(model, seen)
    metric.process({}, [s.to_dict() for s in seen.samples])
    assert list(metric.evaluate(5)) == [
        f'input_x_gradient/{name}'
        for name in (
            'energy',
            'energy_by_area',
            'pointing',
            'iou',
            'dead',
            'guided',
            'unguided',
        )
    ]


def test_without_a_model_aware_loop_the_error_says_which():
    with pytest.raises(ValueError, match="test_cfg=dict.type='ModelAwareTestLoop'."):
        ExplanationFocus('grad_cam').process({}, [{}])


@pytest.mark.parametrize(
    'options,message',
    [
        (dict(method='lime'), "must be one of .'grad_cam', 'input_x_gradient'."),
        (dict(method='input_x_gradient', layer='backbone'), "`layer` is Grad-CAM's"),
    ],
)
def test_wrong_options_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        ExplanationFocus(**options)


@pytest.mark.parametrize('method', EXPLANATIONS)
def test_a_saliency_map_that_is_not_finite_is_an_error_that_names_the_images(method):
    model = build()
    seen = shown(model)
    seen.inputs[[1, 4]] = float('nan')
    with pytest.raises(ValueError, match=r'NaN or infinite values, in images \[1, 4\]'):
        ExplanationFocus(method).evaluate_batch(model, seen)
