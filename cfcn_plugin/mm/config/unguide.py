"""From a guided config to the stock one, by what each class of ours says."""

import copy
from collections.abc import Iterator
from itertools import compress
from typing import Any

from mmengine.config import Config, ConfigDict

from cfcn_plugin.mm.engine import ResumableRunner
from cfcn_plugin.mm.registration import REGISTERED
from cfcn_plugin.stock import name_of

from .guide import SPLITS, as_list

OURS = {one.__name__: one for classes in REGISTERED.values() for one in classes}
GONE = object()  # in the place of a config that goes; None is a value


def unguide_config(cfg: Config) -> Config:
    """The stock config that a trained model fits: the inverse of guide_config.

    Each config of a class of ours, wherever it is, becomes what the class's ``stock``
    says, or goes. A split with metrics of ours alone gets top-1 accuracy. Weights to
    start from go too, since the trained ones replace them.

    Args:
        cfg: Config of a guided model with a stock head. It is not changed.

    Returns:
        A config without a trace of ``cfcn_plugin``. Where it has a data set or a
        backbone of ours, which stay, the import that registers them stays too, and
        may fail: the model's config is to be read where the package is absent.

    Raises:
        ValueError: The head is ours: only we can run it.
    """
    cfg = copy.deepcopy(cfg)
    evaluated = [s for s in SPLITS if cfg.get(f'{s}_evaluator') is not None]
    for key in ResumableRunner.stock.extra_keys:  # its config is the whole config
        cfg.pop(key, None)
    for key, value in list(cfg.items()):
        stock = _stock(value)
        if stock is GONE:
            cfg.pop(key)
        else:
            cfg[key] = stock
    for split in evaluated:
        metrics = as_list(cfg.get(f'{split}_evaluator')) or [
            dict(type='Accuracy', topk=1)
        ]
        cfg[f'{split}_evaluator'] = metrics if len(metrics) > 1 else metrics[0]
    _drop_first_weights(cfg)
    _drop_needless_import(cfg)
    return cfg


def _stock(value: Any) -> Any:
    """A part of a config with nothing of ours in it; GONE if the part goes."""
    if isinstance(value, list | tuple):
        kept = type(value)(one for one in map(_stock, value) if one is not GONE)
        return GONE if value and not kept else kept
    if not isinstance(value, dict):
        return value
    ours = OURS.get(name_of(value.get('type')))
    if ours is not None:
        value = ours.stock(value)
        if value is None:
            return GONE
    if 'augments' in value and value.get('probs'):
        value = _stock_probs(value)
    stock = {key: _stock(one) for key, one in value.items()}
    if stock.get('augments') is GONE:
        return None  # no batch augments
    return ConfigDict({k: one for k, one in stock.items() if one is not GONE})


def _stock_probs(config: dict) -> dict:
    """Batch augments with the probabilities of those that stay."""
    stays = [_stock(one) is not GONE for one in as_list(config['augments'])]
    if all(stays):
        return config
    return dict(config, probs=list(compress(as_list(config['probs']), stays)))


def _drop_first_weights(cfg: Config) -> None:
    """Weights to start from, which the trained ones replace."""
    for key, none in (('load_from', None), ('resume', False)):
        if key in cfg:
            cfg[key] = none
    backbone = cfg.model.get('backbone') or {}
    if name_of(backbone.get('type')) == 'TIMMBackbone':
        backbone.pop('checkpoint_path', None)
        backbone['pretrained'] = False


def _drop_needless_import(cfg: Config) -> None:
    imports = cfg.get('custom_imports') or {}
    kept = as_list(imports.get('imports'))
    if any(name in OURS for value in cfg.values() for name in _type_names(value)):
        imports = dict(imports, allow_failed_imports=True)
    else:
        kept = [name for name in kept if name != 'cfcn_plugin.mm']
    if kept:
        cfg.custom_imports = dict(imports, imports=kept)
    else:
        cfg.pop('custom_imports', None)


def _type_names(value: Any) -> Iterator[str | None]:
    """The types in a part of a config."""
    if isinstance(value, dict):
        yield name_of(value.get('type'))
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _type_names(one)
