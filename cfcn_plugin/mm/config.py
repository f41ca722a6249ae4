"""Pure functions from config to config: guided, and stock again."""
import copy
from collections.abc import Callable, Sequence
from functools import partial

from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmpretrain.datasets import PackInputs

from . import engine, evaluation
from .models.backbones.timm_backbone import has_fixed_size
from .models.guided import GUIDED_TYPES
from .transforms import MaskAware, kind_of, transform_type

SPLITS = ('train', 'val', 'test')
PAPER = dict(type='CausalFocusLoss')
STOCK_TYPES = {guided: stock for stock, guided in GUIDED_TYPES.items()}
OUR_METRICS = tuple(evaluation.__all__)
OUR_ENGINE = tuple(engine.__all__)
# What guide_config adds: masks that are there, one copy of the log a step, one log for
# all processes
HOOKS = ('GuidanceCheckHook', 'BatchedLogHook', 'ReduceLogHook')
# Keys of GuidedTIMMBackbone that the stock TIMMBackbone does not have
BACKBONE_EXTRAS = ('channels_last', 'img_size', 'local_weights')


# ---- stock to guided ---------------------------------------------------------


def guide_config(cfg: Config,
                 masks: dict,
                 guidance: dict | Sequence[dict] | None = PAPER,
                 feature_hook: dict | None = None,
                 splits: Sequence[str] = SPLITS) -> Config:
    """The guided config of a stock one.

    The model gets its guided type, pipelines load masks and move them with their
    images, the focus metric joins the evaluators of splits with masks, masks are
    looked for before the first step (``GuidanceCheckHook``), and the log is read in one
    copy (``BatchedLogHook``) and is the mean over processes (``ReduceLogHook``).
    Nothing else changes: a run's data, draws, schedule and checkpoints are the stock
    ones.

    Args:
        cfg: A stock config of mmpretrain, for one of the types in
            :data:`cfcn_plugin.mm.models.GUIDED_TYPES`. It is not changed.
        masks: Config of a mask source, for every split that has a dataloader; or
            ``dict(train=..., val=...)``, one for each split that gets masks. For the
            options of ``LoadActivationMask`` (``missing``, ``fraction`` ...) give its
            config, ``dict(type='LoadActivationMask', source=..., ...)``, instead.
        guidance: Config of a guidance method, or a list of them. None: the baseline,
            whose focus is measured.
        feature_hook: Config of a feature hook. None: the map that pooling receives.
        splits: Which of ``'train'``, ``'val'`` and ``'test'`` may get masks.

    Returns:
        The guided config, to train or dump as any other.

    Raises:
        ValueError: The config cannot be guided; the message names what stands in the
            way, and what to do.
    """
    cfg = copy.deepcopy(cfg)
    loads = _loads(cfg, masks, splits)
    if guidance is not None and 'train' not in loads:
        raise ValueError(
            'guidance needs masks of the train split, and only '
            f'{sorted(loads) or "no split"} get masks: add them to `masks` and '
            '`splits`, or give `guidance=None` to measure focus alone')
    cfg.model = _guide_model(cfg.get('model') or {}, guidance, feature_hook)
    if cfg.get('data_preprocessor'):  # the runner hands it to the model
        cfg.data_preprocessor = _guide_preprocessor(cfg.data_preprocessor)
    for split, load in loads.items():
        _each_pipeline(cfg, split, partial(_guide_pipeline, load=load))
        if split != 'train':
            cfg[f'{split}_evaluator'] = [
                *_as_list(cfg.get(f'{split}_evaluator')), dict(type='FocusMetric')
            ]
    hooks = [*(HOOKS if 'train' in loads else ()),
             *(('ModelAwareLoopHook', ) if set(loads) - {'train'} else ())]
    cfg.custom_hooks = [
        *_as_list(cfg.get('custom_hooks')), *(dict(type=hook) for hook in hooks)
    ]
    imports = cfg.get('custom_imports') or dict(imports=[], allow_failed_imports=False)
    cfg.custom_imports = dict(
        imports, imports=[*_as_list(imports['imports']), 'cfcn_plugin.mm'])
    return cfg


def _loads(cfg: Config, masks: dict, splits: Sequence[str]) -> dict[str, dict]:
    """The config of LoadActivationMask for each split that gets masks."""
    for name, given in (('splits', splits), ('masks', masks)):
        unknown = [] if 'type' in given else [s for s in given if s not in SPLITS]
        if isinstance(given, str) or unknown:
            raise ValueError(f'`{name}` knows the splits {SPLITS}, got {given!r}; a '
                             'mask source has a `type`')
    if 'type' in masks:
        masks = {split: masks for split in splits if cfg.get(f'{split}_dataloader')}
    loads = {}
    for split, given in masks.items():
        if split not in splits or not cfg.get(f'{split}_dataloader'):
            raise ValueError(
                f'`masks` has {split!r}, but ' +
                (f'`splits` is {tuple(splits)}' if split not in splits else
                 f'the config has no {split}_dataloader'))
        if _name(given.get('type')) != 'LoadActivationMask':
            given = dict(type='LoadActivationMask', source=given)
        loads[split] = given
    return loads


def _guide_model(model: dict, guidance: dict | None, feature_hook: dict | None) -> dict:
    name = _name(model.get('type'))
    if name in STOCK_TYPES:
        raise ValueError(f'the model is a {name}: the config is guided already')
    if name not in GUIDED_TYPES:
        raise ValueError(
            f"the model's type is {name!r}, and those that can be guided are "
            f'{", ".join(GUIDED_TYPES)}')
    if name != 'TimmClassifier' and not model.get('head'):
        raise ValueError('the model has no head: it classifies nothing, so there is '
                         'no decision to guide')
    model = dict(model, type=_renamed(model['type'], GUIDED_TYPES))
    if model.get('data_preprocessor'):
        model['data_preprocessor'] = _guide_preprocessor(model['data_preprocessor'])
    model['guidance'] = copy.deepcopy(guidance)
    if feature_hook is not None:
        model['feature_hook'] = copy.deepcopy(feature_hook)
    return model


def _guide_preprocessor(preprocessor: dict) -> dict:
    name = _name(preprocessor.get('type'))
    if name == 'ClsDataPreprocessor':
        return dict(preprocessor, type='GuidedDataPreprocessor')
    if name not in (None, 'GuidedDataPreprocessor'):
        raise ValueError(
            f'the data preprocessor {name} would leave masks behind: use '
            'ClsDataPreprocessor, or a subclass of GuidedDataPreprocessor in a config '
            'of your own')
    return preprocessor


def _guide_pipeline(pipeline: list, where: str, load: dict) -> list:
    types = [transform_type(step['type']) for step in pipeline]
    for step, kind in zip(pipeline, types):
        if kind is None:
            raise ValueError(f'{where}: transform {step["type"]!r} is not registered')
    if PackInputs not in types:
        raise ValueError(
            f'{where} does not end in PackInputs, whose place PackGuidedInputs would '
            f'take; its transforms are {", ".join(_name(s["type"]) for s in pipeline)}')
    # a data set that keeps its images in memory (CIFAR) has no loading step
    start = 1 + max([i for i, kind in enumerate(types)
                     if issubclass(kind, LoadImageFromFile)], default=-1)
    return [
        *pipeline[:start], copy.deepcopy(load),
        *(_guide_step(*pair, where) for pair in zip(pipeline[start:], types[start:]))
    ]


def _guide_step(step: dict, kind: type, where: str) -> dict:
    if kind is PackInputs:
        return dict(step, type=_renamed(step['type'], dict(
            PackInputs='PackGuidedInputs')))
    known = kind_of(kind)
    if known == 'photometric' or issubclass(kind, MaskAware):
        return step
    if known is None:
        raise ValueError(
            f"{where}: it is not known whether {_name(step['type'])} moves pixels, and "
            'a mask must move with its image. If it moves none, write '
            "dict(type='MaskAware', photometric=True, transform=dict(...)) in its "
            'place; if it does, use a transform that MaskAware knows')
    return dict(type='MaskAware', transform=step)


# ---- guided to stock ---------------------------------------------------------


def unguide_config(cfg: Config) -> Config:
    """The stock config that a trained model fits: the inverse of guide_config.

    Guided types become stock types; guidance, masks, ``BackgroundSwap``, our metrics,
    loops and hooks go (a split with none but ours gets top-1 accuracy); weights to
    start from go too, since the trained ones replace them.

    Args:
        cfg: Config of a guided model with a stock head. It is not changed.

    Returns:
        A config without a trace of ``cfcn_plugin``, but for data sets of ours.

    Raises:
        ValueError: The head is ours: only we can run it.
    """
    cfg = copy.deepcopy(cfg)
    cfg.model = _unguide_model(cfg.model)
    if cfg.get('data_preprocessor'):
        cfg.data_preprocessor = _unguide_preprocessor(cfg.data_preprocessor)
    for split in SPLITS:
        _each_pipeline(cfg, split, _unguide_pipeline)
        evaluators = cfg.get(f'{split}_evaluator')
        if evaluators is not None:
            stock = [m for m in _as_list(evaluators)
                     if _name(m['type']) not in OUR_METRICS]
            stock = stock or [dict(type='Accuracy', topk=1)]
            cfg[f'{split}_evaluator'] = stock if len(stock) > 1 else stock[0]
        loop = cfg.get(f'{split}_cfg') or {}
        if _name(loop.get('type')) in OUR_ENGINE:
            cfg[f'{split}_cfg'] = {k: v for k, v in loop.items() if k != 'type'}
    sampler = (cfg.get('train_dataloader') or {}).get('sampler') or {}
    if _name(sampler.get('type')) == 'GuidedSampler':
        sampler.pop('fraction', None)
        sampler['type'] = _renamed(sampler['type'], dict(
            GuidedSampler='DefaultSampler'))
    wrapper = cfg.get('optim_wrapper') or {}
    if _name(wrapper.get('type')) == 'CPUAmpOptimWrapper':
        wrapper.update(type='AmpOptimWrapper', dtype='bfloat16')
    for name, value in list(cfg.items()):  # what the config file itself named
        if name.endswith('pipeline') and isinstance(value, list):
            cfg[name] = _unguide_pipeline(value)
        elif isinstance(value, dict) and 'pipeline' in value:
            cfg[name] = _with_pipelines(value, _unguide_pipeline, name)
        elif isinstance(value, dict) and value.get('type') == 'LoadActivationMask':
            cfg.pop(name)
    if cfg.get('custom_hooks'):
        cfg.custom_hooks = [
            h for h in cfg.custom_hooks if _name(h['type']) not in OUR_ENGINE
        ]
        if not cfg.custom_hooks:
            cfg.pop('custom_hooks')
    for key, none in (('load_from', None), ('resume', False)):
        if key in cfg:
            cfg[key] = none
    for key in ('exact_resume', 'runner_type'):
        cfg.pop(key, None)
    imports = cfg.get('custom_imports') or {}
    kept = [i for i in _as_list(imports.get('imports')) if i != 'cfcn_plugin.mm']
    if kept:
        cfg.custom_imports = dict(imports, imports=kept)
    else:
        cfg.pop('custom_imports', None)
    return cfg


def _unguide_model(model: dict) -> dict:
    model = copy.deepcopy(model)
    head = model.get('head') or {}
    if _name(head.get('type')) == 'CausalFocusHead':
        raise ValueError(
            'CausalFocusHead is not a stock head, so there is no stock config for it: '
            'train with a stock head (LinearClsHead), or export the network itself '
            'with torch.onnx.export or torch.jit.trace')
    model['type'] = _renamed(model['type'], STOCK_TYPES)
    for key in ('guidance', 'feature_hook'):
        model.pop(key, None)
    if model.get('data_preprocessor'):
        model['data_preprocessor'] = _unguide_preprocessor(model['data_preprocessor'])
    if model.get('train_cfg'):
        model['train_cfg'] = _unguide_augments(model['train_cfg'])
    backbone = model.get('backbone')
    if backbone and backbone.get('type') == 'GuidedTIMMBackbone':
        backbone['type'] = 'TIMMBackbone'
        for key in BACKBONE_EXTRAS:
            if key != 'img_size' or not has_fixed_size(backbone['model_name']):
                backbone.pop(key, None)
    if backbone and backbone['type'] == 'TIMMBackbone':
        backbone.pop('checkpoint_path', None)
        backbone['pretrained'] = False
    return model


def _unguide_preprocessor(preprocessor: dict) -> dict:
    if 'type' not in preprocessor:
        return preprocessor
    return dict(preprocessor, type=_renamed(
        preprocessor['type'], dict(GuidedDataPreprocessor='ClsDataPreprocessor')))


def _unguide_augments(train_cfg: dict) -> dict | None:
    augments = _as_list(train_cfg.get('augments'))
    kept = [i for i, augment in enumerate(augments)
            if _name(augment.get('type')) != 'BackgroundSwap']
    if len(kept) == len(augments):
        return train_cfg
    if not kept:
        return None
    probs = train_cfg.get('probs')
    return dict(
        train_cfg, augments=[augments[i] for i in kept],
        probs=probs and [_as_list(probs)[i] for i in kept])


def _unguide_pipeline(pipeline: list, where: str = '') -> list:
    stock = []
    for step in pipeline:
        name = _name(step['type'])
        if name == 'MaskAware':
            step = step['transform']
        elif name == 'PackGuidedInputs':
            step = dict(step, type=_renamed(step['type'], dict(
                PackGuidedInputs='PackInputs')))
        elif name == 'LoadImage':
            step = dict(step, type=_renamed(step['type'], dict(
                LoadImage='LoadImageFromFile')))
            step.pop('on_error', None)
        if name != 'LoadActivationMask':
            stock.append(step)
    return stock


# ---- both ways ---------------------------------------------------------------


def _each_pipeline(cfg: Config, split: str, change: Callable) -> None:
    """Change every pipeline that a split's images go through."""
    loader = cfg.get(f'{split}_dataloader')
    if loader is not None:
        where = f'{split}_dataloader.dataset'
        loader.dataset = _with_pipelines(loader.dataset, change, where)
    if split == 'train':
        for hook in cfg.get('custom_hooks') or ():
            if _name(hook['type']) == 'SwitchRecipeHook':
                for recipe in hook['schedule']:
                    # stock configs say `pipeline`, which the hook does not read
                    for key in {'train_pipeline', 'pipeline'} & set(recipe):
                        recipe[key] = change(
                            recipe[key], f"the SwitchRecipeHook's {key}")


def _with_pipelines(dataset: dict, change: Callable, where: str) -> dict:
    """A data set's config with changed pipelines, its own and those of inner ones."""
    dataset = dict(dataset)
    if 'pipeline' in dataset:
        dataset['pipeline'] = change(dataset['pipeline'], f'{where}.pipeline')
    if isinstance(dataset.get('dataset'), dict):
        dataset['dataset'] = _with_pipelines(
            dataset['dataset'], change, f'{where}.dataset')
    if 'datasets' in dataset:
        dataset['datasets'] = [
            _with_pipelines(one, change, f'{where}.datasets[{i}]')
            for i, one in enumerate(dataset['datasets'])
        ]
    return dataset


def _as_list(value) -> list:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _name(kind: str | type | None) -> str | None:
    """A type's name without its scope; a config may hold the class itself."""
    return kind.split('.')[-1] if isinstance(kind, str) else getattr(
        kind, '__name__', None)


def _renamed(kind: str | type, names: dict[str, str]) -> str | type:
    """The type that takes another's place, in the same scope."""
    name = _name(kind)
    if name not in names:
        return kind
    scope = kind[:-len(name)] if isinstance(kind, str) else ''
    return scope + names[name]
