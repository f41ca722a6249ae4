"""Iteration over wrapped data sets, for configs and for built data sets."""

from collections.abc import Iterator

from torch.utils.data import Dataset


def dataset_configs(config: dict, where: str = 'dataset') -> Iterator[tuple[str, dict]]:
    """The config of a data set and of its wrapped data sets, outermost first.

    Args:
        config: The data set's config.
        where: The config's place in the whole config.

    Yields:
        The place of each config, for messages, and the config itself (no copy).
    """
    yield where, config
    if isinstance(config.get('dataset'), dict):
        yield from dataset_configs(config['dataset'], f'{where}.dataset')
    for i, one in enumerate(config.get('datasets') or ()):
        yield from dataset_configs(one, f'{where}.datasets[{i}]')


def first_pipeline(loader: dict | None) -> list[dict]:
    """The pipeline of a dataloader's config, of the outermost data set that has one.

    Empty without a dataloader, or without a pipeline.
    """
    configs = dataset_configs(loader['dataset']) if loader else ()
    return next((one['pipeline'] for _, one in configs if one.get('pipeline')), [])


def pipeline_datasets(dataset: Dataset) -> Iterator[Dataset]:
    """The data sets with a ``pipeline`` in a built data set, outermost first."""
    if hasattr(dataset, 'pipeline'):
        yield dataset
    for inner in getattr(dataset, 'datasets', [getattr(dataset, 'dataset', None)]):
        if inner is not None:
            yield from pipeline_datasets(inner)
