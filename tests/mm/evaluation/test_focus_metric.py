"""Focus of each image by hand, and means over the images that have a mask."""

from types import SimpleNamespace

import pytest
import torch
from batches import guidance_batch
from mmpretrain.registry import METRICS

from cfcn_plugin.guidance import CausalFocusLoss, Combined, RightReasonsLoss
from cfcn_plugin.mm.evaluation import FocusMetric
from cfcn_plugin.mm.evaluation.model_aware_metric import EvalBatch

ROWS = [dict(ratio=0.2, energy=0.4), {}, dict(ratio=0.6, energy=0.8)]


def model(maps_are_classes=False, guidance=None):
    return SimpleNamespace(maps_are_classes=maps_are_classes, guidance=guidance)


def maps():
    """(2, 2, 1, 2)"""
    return torch.tensor([[[[4.0, 0.0]], [[0.0, 4.0]]], [[[2.0, 3.0]], [[0.5, 4.0]]]])


def eval_batch(activation, mask, target, guided=None):
    count = len(mask)
    step = guidance_batch(
        images=torch.zeros(count, 3, 4, 4),
        maps=activation,
        logits=torch.zeros(count, 2),
        mask=mask,
        target=target,
        guided=torch.ones(count, dtype=torch.bool) if guided is None else guided,
    )
    return EvalBatch(step.images, step.images, step.masks, [None] * count, None, step)


def energies(batch, **options):
    rows = FocusMetric().evaluate_batch(model(**options), batch)
    return [row['energy'] for row in rows]


LEFT = torch.tensor([[[[1, 0]]], [[[1, 0]]]], dtype=torch.uint8)


def test_maps_that_are_classes_show_the_true_class():
    batch = eval_batch(maps(), LEFT, torch.tensor([0, 1]))
    assert energies(batch, maps_are_classes=True) == pytest.approx([1, 0.5 / 4.5])
    assert energies(batch) == pytest.approx([1 / 2, 2.5 / 9.5])


def test_the_last_of_several_maps_counts():
    several = eval_batch((torch.rand(2, 9, 1, 4), maps()), LEFT, torch.tensor([0, 1]))
    assert energies(several) == pytest.approx([1 / 2, 2.5 / 9.5])


def test_masks_of_several_classes_are_joined():
    planes = torch.tensor(
        [[[[1, 0]], [[0, 1]]], [[[1, 0]], [[1, 0]]]], dtype=torch.uint8
    )
    target = torch.tensor([0, 1])
    assert energies(eval_batch(maps(), planes, target)) == pytest.approx(
        energies(eval_batch(maps(), planes.amax(1, keepdim=True), target))
    )


@pytest.mark.parametrize(
    'guidance',
    [None, CausalFocusLoss(2.0), Combined([RightReasonsLoss(), CausalFocusLoss()])],
)
def test_ratio_is_one_minus_the_configured_loss_and_the_unguided_have_none(guidance):
    batch = eval_batch(
        maps(), LEFT, torch.tensor([0, 1]), guided=torch.tensor([False, True])
    )
    first, second = FocusMetric().evaluate_batch(model(guidance=guidance), batch)
    assert first is None
    # the mean of both channels' fractions, with an eps of 1e-4
    assert second['ratio'] == pytest.approx((2 / 5 + 0.5 / 4.5) / 2, abs=1e-4)
    micro = FocusMetric().evaluate_batch(
        model(guidance=CausalFocusLoss(average='micro')), batch
    )[1]
    assert micro['ratio'] == pytest.approx(2.5 / 9.5, abs=1e-4)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_map_that_is_no_number_is_an_error_naming_the_images(value):
    activation = torch.rand(4, 2, 3, 3)
    activation[1, 0, 2, 2] = activation[3, 1, 0, 0] = value
    batch = eval_batch(
        activation,
        torch.ones(4, 1, 3, 3, dtype=torch.uint8),
        torch.zeros(4, dtype=torch.long),
    )
    with pytest.raises(ValueError, match=r'NaN or infinite values, in images \[1, 3\]'):
        FocusMetric().evaluate_batch(model(), batch)


def test_values_are_numbers_of_python():
    rows = FocusMetric().evaluate_batch(
        model(), eval_batch(maps().requires_grad_(), LEFT, torch.tensor([0, 1]))
    )
    assert set(rows[0]) == {
        'ratio',
        'best',
        'uniform',
        'energy',
        'energy_by_area',
        'pointing',
        'iou',
    }
    assert rows[0]['uniform'] < rows[0]['best'] <= 1
    assert all(type(value) is float for row in rows for value in row.values())


def test_a_batch_without_masks_has_no_values():
    batch = EvalBatch([], torch.zeros(2, 3, 4, 4), None, [None, None], None)
    assert FocusMetric().evaluate_batch(model(), batch) == [None, None]


# ---- means ------------------------------------------------------------------


def result_of(rows):
    return {f'focus/{k}': v for k, v in FocusMetric().compute_metrics(rows).items()}


def test_mean_is_over_guided_images_and_both_are_counted():
    assert result_of(ROWS) == pytest.approx(
        {
            'focus/ratio': 0.4,
            'focus/energy': 0.6,
            'focus/guided': 2,
            'focus/unguided': 1,
        }
    )


def test_data_set_without_masks_gives_counts_only():
    assert result_of([{}, {}]) == {'focus/guided': 0, 'focus/unguided': 2}


def test_what_is_observed_is_what_is_processed_and_each_batch_once():
    metric, batch = FocusMetric(), eval_batch(maps(), LEFT, torch.tensor([0, 1]))
    metric.observe(model(), batch)
    metric.process({}, [{}, {}])
    assert metric.evaluate(2)['focus/energy'] == pytest.approx((1 / 2 + 2.5 / 9.5) / 2)
    with pytest.raises(ValueError, match="val_cfg=dict.type='ModelAwareValLoop'."):
        metric.process({}, [{}, {}])


def test_metric_is_built_by_its_name():
    assert isinstance(METRICS.build(dict(type='FocusMetric')), FocusMetric)
