"""Check the map of the classifiers of torchvision and transformers.

The reference is what the last pooling of the forward pass receives. mmpretrain cannot
be imported beside transformers 5, so this is a sweep of its own.
"""

from collections.abc import Iterator
from importlib.metadata import version

import torchvision
from driver import Sweep
from references import pooled_reference
from verdicts import SIZES, first_that_runs, table, verdict

from cfcn_plugin.features import locate


def tables(sweep: Sweep) -> Iterator[tuple[str, str]]:
    for source, names, check in (
        ('torchvision', torchvision_names, check_torchvision),
        ('transformers', transformers_names, check_transformers),
    ):
        results = sweep.run(source, sweep.listed(source, names), check)
        yield source, table(results, f'{source} {version(source)}')


def torchvision_names() -> list[str]:
    """CLASS/MODEL: all classification models."""
    names = torchvision.models.list_models(module=torchvision.models)
    return [f'{torchvision_class(name)}/{name}' for name in names]


def torchvision_class(name: str) -> str:
    return torchvision.models.get_model_builder(name).__module__.split('.')[-1]


def check_torchvision(name: str) -> dict:
    model_name = name.split('/')[1]

    def make(size):
        options = dict(image_size=size[0]) if model_name.startswith('vit') else {}
        return torchvision.models.get_model(model_name, weights=None, **options)

    model, inputs, activation = first_that_runs(make, SIZES)
    return verdict(locate(model), inputs, activation, pooled_reference(model, inputs))


def transformers_names() -> list[str]:
    """CLASS/CLASS: each image classifier that has a map, small."""
    from small_transformers import SMALL

    return [f'{name}/{name}ForImageClassification' for name in SMALL]


def check_transformers(name: str) -> dict:
    from small_transformers import small

    model, inputs, activation = first_that_runs(
        lambda size: small(name.split('/')[0]), ((128, 192), (64, 64), (128, 128))
    )
    result = verdict(locate(model), inputs, activation, pooled_reference(model, inputs))
    if activation.abs().max() < 1e-3:  # a comparison with it says nothing
        result.update(verdict='wrong', reason='the map is almost 0')
    return result
