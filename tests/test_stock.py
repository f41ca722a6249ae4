"""From the config of a class of ours to a stock one."""

from cfcn_plugin.stock import GOES, STAYS, Stock, name_of, renamed


def test_a_stock_class_takes_the_place_without_the_extra_keys():
    config = dict(type='mmpretrain.Ours', a=1, b=2)
    stock = Stock('Theirs', extra_keys=('b', 'c'), new_keys=dict(d=3))
    assert stock(config) == dict(type='mmpretrain.Theirs', a=1, d=3)
    assert config == dict(type='mmpretrain.Ours', a=1, b=2)


def test_a_config_goes_or_stays():
    config = dict(type='Ours', a=1)
    assert GOES(config) is None
    assert STAYS(config) == config


def test_names_have_scopes_or_are_classes():
    assert [name_of(kind) for kind in ('mmdet.A', 'A', dict, None)] == [
        'A',
        'A',
        'dict',
        None,
    ]
    assert [renamed(kind, 'B') for kind in ('mmdet.A', 'A', dict)] == [
        'mmdet.B',
        'B',
        'B',
    ]
