"""Wrapped data sets are found in configs and in built data sets."""

from types import SimpleNamespace

from cfcn_plugin.mm.datasets.wrappers import (
    dataset_configs,
    first_pipeline,
    pipeline_datasets,
)


def test_configs_come_with_their_places_from_the_outermost_inwards():
    a, b = dict(type='A'), dict(type='B')
    both = dict(type='ConcatDataset', datasets=[a, b])
    repeated = dict(type='RepeatDataset', dataset=both)
    found = list(dataset_configs(repeated, 'dataset'))
    assert [where for where, _ in found] == [
        'dataset',
        'dataset.dataset',
        'dataset.dataset.datasets[0]',
        'dataset.dataset.datasets[1]',
    ]
    assert [config for _, config in found] == [repeated, both, a, b]
    assert found[2][1] is a  # to be changed in place


def test_built_data_sets_are_those_with_a_pipeline():
    a, b = SimpleNamespace(pipeline=1), SimpleNamespace(pipeline=2)
    both = SimpleNamespace(datasets=[a, SimpleNamespace(dataset=b)])
    assert list(pipeline_datasets(SimpleNamespace(dataset=both))) == [a, b]
    assert list(pipeline_datasets(a)) == [a]
    assert list(pipeline_datasets(SimpleNamespace())) == []


def test_the_pipeline_of_a_loader_is_the_outermost_that_is_there():
    wrapped = dict(type='RepeatDataset', dataset=dict(type='A', pipeline=['a']))
    assert first_pipeline(dict(dataset=wrapped)) == ['a']
    assert first_pipeline(dict(dataset=dict(wrapped, pipeline=['b']))) == ['b']
    assert first_pipeline(dict(dataset=dict(type='A'))) == first_pipeline(None) == []
