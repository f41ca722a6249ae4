"""Means over the images that have a mask."""
import pytest
from mmpretrain.registry import METRICS
from mmpretrain.structures import DataSample

from cfcn_plugin.mm.evaluation import FocusMetric

SAMPLES = [
    dict(focus=dict(ratio=0.2, energy=0.4)),
    dict(),
    dict(focus=dict(ratio=0.6, energy=0.8)),
]


def result_of(samples):
    metric = FocusMetric()
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_mean_is_over_guided_images_and_both_are_counted():
    assert result_of(SAMPLES) == pytest.approx({
        'focus/ratio': 0.4, 'focus/energy': 0.6, 'focus/guided': 2, 'focus/unguided': 1
    })


def test_data_set_without_masks_gives_counts_only():
    assert result_of([{}, {}]) == {'focus/guided': 0, 'focus/unguided': 2}


def test_samples_are_read_as_the_evaluator_hands_them_over():
    sample = DataSample()
    sample.set_field(dict(ratio=0.25), 'focus')
    assert result_of([sample.to_dict()])['focus/ratio'] == 0.25


def test_results_of_shards_join_to_the_same_numbers():
    shards = [FocusMetric(), FocusMetric()]
    shards[0].process({}, SAMPLES[:1])
    shards[1].process({}, SAMPLES[1:])
    joined = shards[0].compute_metrics(shards[0].results + shards[1].results)
    assert {f'focus/{k}': v for k, v in joined.items()} == pytest.approx(
        result_of(SAMPLES))


def test_metric_is_built_by_its_name():
    assert isinstance(METRICS.build(dict(type='FocusMetric')), FocusMetric)
