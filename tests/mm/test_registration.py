"""Each registered class declares its stock counterpart."""

import inspect

import pytest
from mmpretrain import registry

from cfcn_plugin.mm.registration import REGISTERED
from cfcn_plugin.stock import Stock

pytestmark = pytest.mark.stacks
CLASSES = [(where, one) for where, classes in REGISTERED.items() for one in classes]
REPLACED = [
    (where, one)
    for where, one in CLASSES
    if isinstance(getattr(one, 'stock', None), Stock) and one.stock.type
]


def keys(kind):
    """The keys of a class's config, those of its bases too."""
    return {
        name
        for base in kind.__mro__
        if '__init__' in vars(base)
        for name, parameter in inspect.signature(base.__init__).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        or parameter.kind is parameter.KEYWORD_ONLY
    }


@pytest.mark.parametrize('one', [one for _, one in CLASSES])
def test_each_class_declares_its_stock_counterpart(one):
    owner = next((base for base in one.__mro__ if 'stock' in vars(base)), None)
    assert owner is not None, f'{one.__name__} needs `stock`, see cfcn_plugin/stock.py'
    assert owner.__module__.startswith('cfcn_plugin.')
    assert callable(one.stock)


@pytest.mark.parametrize('where,one', REPLACED)
def test_a_key_that_the_stock_class_lacks_is_declared(where, one):
    stock = where.get(one.stock.type)
    assert keys(one) - keys(stock) == set(one.stock.extra_keys)
    assert set(one.stock.new_keys) <= keys(stock)


def test_timm_backbone_declares_its_extra_keys():
    ours = registry.MODELS.get('GuidedTIMMBackbone')
    stock = registry.MODELS.get('TIMMBackbone')
    every = dict.fromkeys(keys(ours)) | dict(type='GuidedTIMMBackbone')
    assert set(ours.stock(every)) - {'type'} == keys(stock) & set(every)
