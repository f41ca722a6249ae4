"""A number or a flag of another type or range is an error that names the option."""

import inspect
import math
import typing
from dataclasses import is_dataclass

import pytest
from mmengine.registry import Registry
from mmpretrain import registry as mmpretrain_registry

import cfcn_plugin.mm  # noqa: F401  (registers our classes)
from cfcn_plugin import guidance, masks
from cfcn_plugin.features import FeatureHook
from cfcn_plugin.masks import MaskLoader
from cfcn_plugin.options import check_flag, check_number, check_whole

BAD = {
    float: ('1', 'x', math.nan, math.inf, True, [1]),
    int: ('1', 'x', math.nan, 1.5, True, [1]),
    bool: ('False', 'x', 0, math.nan, [True]),
}
# what a class cannot be built without
NEEDED = dict(
    num_classes=2,
    in_channels=8,
    filters=[4],
    model_name='resnet10t',
    masks='masks',
    ann_file='none.json',
    source=masks.PNGMasks('masks'),
    dataset=None,
    transform=dict(type='Resize', scale=4),
)
NEEDED_BY = {
    'MaskAware': {'transform'},
    'GuidedTIMMBackbone': {'model_name'},
    'CausalFocusHead': {'num_classes', 'in_channels'},
    'GuidedSampler': {'dataset'},
}


def our_classes():
    registries = [
        one for one in vars(mmpretrain_registry).values() if isinstance(one, Registry)
    ]
    found = {kind for one in registries for kind in one.module_dict.values()}
    found |= {getattr(guidance, name) for name in guidance.__all__}
    found |= {getattr(masks, name) for name in masks.__all__} | {FeatureHook}
    found = {
        kind
        for kind in found
        if not is_dataclass(kind)
        and inspect.isfunction(getattr(kind, '__init__', None))
    }
    ours = [
        kind
        for kind in found
        if kind.__init__.__globals__['__name__'].startswith('cfcn_plugin.')
    ]
    return sorted(ours, key=lambda kind: kind.__name__)


def kinds_of(annotation) -> set[type]:
    """bool, int and float among the types of an annotation, also inside a Sequence."""
    inner = [kind for one in typing.get_args(annotation) for kind in kinds_of(one)]
    return {kind for kind in BAD if annotation is kind} | set(inner)


def options():
    for owner in our_classes():
        for name, parameter in inspect.signature(owner.__init__).parameters.items():
            kinds = kinds_of(parameter.annotation)
            if kinds and name != 'names':  # of YOLO: a dict of texts by number
                yield pytest.param(
                    owner, name, parameter, kinds, id=f'{owner.__name__}-{name}'
                )


OPTIONS = list(options())


def test_the_options_of_many_classes_are_looked_at():
    assert {
        'CausalFocusLoss-loss_weight',
        'CausalFocusHead-num_maps',
        'PointMasks-radius',
        'DeadMapHook-fraction',
        'MaskAware-photometric',
        'GAINLoss-multi_label',
    } <= {one.id for one in OPTIONS}


@pytest.mark.parametrize('owner, name, parameter, kinds', OPTIONS)
def test_option_of_the_wrong_type_is_an_error_that_names_it(
    owner, name, parameter, kinds
):
    parameters = inspect.signature(owner.__init__).parameters
    needed = {
        key: NEEDED[key]
        for key, one in parameters.items()
        if key != name
        and key in NEEDED
        and (one.default is one.empty or key in NEEDED_BY.get(owner.__name__, ()))
    }
    wrong = set.intersection(*(set(map(repr, BAD[kind])) for kind in kinds))
    values = [value for kind in kinds for value in BAD[kind] if repr(value) in wrong]
    if type(None) not in typing.get_args(parameter.annotation):
        values.append(None)
    if typing.get_origin(parameter.annotation) is not None:
        values = [value for value in values if not isinstance(value, list)]
    assert values
    for value in values:
        with pytest.raises((TypeError, ValueError), match=f'`{name}`'):
            owner(**needed, **{name: value})


def test_an_option_has_its_range():
    for value in (0, 1, 0.5):
        check_number('a', value, least=0, most=1)
    for value in (-1, 2, '1', None, True):
        with pytest.raises(ValueError, match=rf'`a` must be in \[0, 1\].*{value}'):
            check_number('a', value, least=0, most=1)
    with pytest.raises(ValueError, match=r'`a` must be in \(0, 1\], got 0'):
        check_number('a', 0, above=0, most=1)
    with pytest.raises(ValueError, match='`a` must be > 0, got nan'):
        check_number('a', math.nan, above=0)
    with pytest.raises(ValueError, match='`a` must be a finite number, got inf'):
        check_number('a', math.inf)
    check_whole('a', 1, least=1)
    with pytest.raises(ValueError, match='`a` must be at least 1, got 0'):
        check_whole('a', 0, least=1)
    with pytest.raises(ValueError, match='`a` must be a whole number, got 1.0'):
        check_whole('a', 1.0)
    check_flag('a', False)
    with pytest.raises(TypeError, match="`a` must be True or False, got 'False'"):
        check_flag('a', 'False')


def test_options_of_the_loader_of_masks_are_named():
    source = masks.PNGMasks('masks')
    for name, value in (
        ('fraction', '1'),
        ('seed', '1'),
        ('exif', 'False'),
        ('rescale', 1),
    ):
        with pytest.raises((TypeError, ValueError), match=f'`{name}`'):
            MaskLoader(source, **{name: value})


def test_a_class_takes_the_options_of_its_stock_class():
    compared = 0
    for owner in our_classes():
        stock = next(
            kind
            for kind in owner.__mro__[1:]
            if not kind.__module__.startswith('cfcn_plugin')
        )
        taken = inspect.signature(owner.__init__).parameters
        if stock.__module__.startswith('mm') and not any(
            one.kind is one.VAR_KEYWORD for one in taken.values()
        ):
            theirs = set(inspect.signature(stock.__init__).parameters)
            left_out = theirs - set(taken) - {'args', 'kwargs'}
            assert stock.__name__.startswith('Base') or not left_out, owner
            compared += 1
    assert compared > 3
