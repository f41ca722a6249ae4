"""From a stock config to the guided one."""

import copy
from collections.abc import Callable, Sequence
from functools import partial

from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmpretrain.datasets import PackInputs

from cfcn_plugin.mm.datasets.wrappers import dataset_configs
from cfcn_plugin.mm.models import GUIDED_TYPES, GuidedDataPreprocessor
from cfcn_plugin.mm.transforms import MaskAware, kind_of, transform_type
from cfcn_plugin.mm.transforms.load_image import PILLOW
from cfcn_plugin.options import check_choice
from cfcn_plugin.stock import name_of, renamed

from .recipe import apply_recipe, recipe_load

SPLITS = ('train', 'val', 'test')
# each recipe's own method: the paper's Eq. 1, none since backgrounds change, CFCN-C
GUIDANCE = {
    None: dict(type='CausalFocusLoss'),
    'pretrained': None,
    'small': dict(type='CausalFocusLoss', channels='target'),
}
TRAIN_HOOKS = ('GuidanceCheckHook', 'BatchedLogHook', 'ReduceLogHook')


def guide_config(
    cfg: Config,
    masks: dict,
    guidance: dict | Sequence[dict] | str | None = 'recipe',
    feature_hook: dict | None = None,
    splits: Sequence[str] = SPLITS,
    recipe: str | None = None,
) -> Config:
    """The guided config of a stock one.

    A *recipe* is what was measured to work on a kind of network (docs/choosing.md):

    - ``'pretrained'``: all training images are guided ones, drawn equally often from
      each class, and get another background in each draw (``BackgroundSwap``, no
      guidance loss). Boxes, points and scribbles are refined to outlines. The early
      layers and BatchNorm's statistics are frozen, the head begins at zero, the
      backbone learns at a tenth of the optimizer's rate, and images are tested at
      about 4/3 of their size where the network allows other sizes.
    - ``'small'``: CFCN-C for a small network that is trained from scratch: the class
      scores are the means of class maps, which are guided.

    The model gets its guided type, pipelines load masks and move them with their
    images, and evaluators of splits with masks get the focus metric, which gets its
    maps by ``ModelAwareLoopHook``. ``GuidanceCheckHook`` validates the masks before the
    first step, ``BatchedLogHook`` copies the log to the host once a step, and
    ``ReduceLogHook`` averages it over processes. A step that loads
    images with Pillow becomes ``LoadImage``, which refuses the formats that start
    programs. All else is the stock config's.

    Args:
        cfg: A stock config of mmpretrain, for one of the types in
            :data:`cfcn_plugin.mm.models.GUIDED_TYPES`. It is not changed.
        masks: Config of a mask source, for every split that has a dataloader; or
            ``dict(train=..., val=...)``, one for each split that gets masks. For the
            options of ``LoadActivationMask`` (``missing``, ``fraction`` ...) give its
            config, ``dict(type='LoadActivationMask', source=..., ...)``, instead.
        guidance: Config of a guidance method, or a list of them, on top of the recipe
            if one is given. None: no guidance loss. ``'recipe'``: the recipe's own, and
            without a recipe the paper's ``CausalFocusLoss``.
        feature_hook: Config of a feature hook. None: the map that pooling receives.
        splits: Which of ``'train'``, ``'val'`` and ``'test'`` may get masks.
        recipe: ``'pretrained'`` or ``'small'``. None: guidance alone.

    Returns:
        The guided config, to train or dump as any other.

    Raises:
        ValueError: The config cannot be guided; the message names why, and a remedy.
    """
    cfg = copy.deepcopy(cfg)
    if recipe is not None:
        check_choice('recipe', recipe, tuple(GUIDANCE)[1:])
    if guidance == 'recipe':
        guidance = GUIDANCE[recipe]
    loads = _loads(cfg, masks, splits)
    if 'train' in loads:
        loads['train'] = recipe_load(loads['train'], recipe)
    elif recipe is not None or guidance is not None:
        raise ValueError(
            'guidance needs masks of the train split, and only '
            f'{sorted(loads) or "no split"} get masks: add them to `masks` and '
            '`splits`, or give `guidance=None` to measure focus alone'
        )
    cfg.model = _guide_model(cfg.get('model') or {}, guidance, feature_hook)
    for place in (cfg, cfg.model):  # the runner hands its own to the model
        if place.get('data_preprocessor'):
            place.data_preprocessor = _guide_preprocessor(place.data_preprocessor)
    for split, load in loads.items():
        _each_pipeline(cfg, split, partial(guide_pipeline, load=load))
        if split != 'train':
            cfg[f'{split}_evaluator'] = [
                *as_list(cfg.get(f'{split}_evaluator')),
                dict(type='FocusMetric'),
            ]
    hooks = TRAIN_HOOKS if 'train' in loads else ()
    if set(loads) - {'train'}:
        hooks = (*hooks, 'ModelAwareLoopHook')
    cfg.custom_hooks = [
        *as_list(cfg.get('custom_hooks')),
        *(dict(type=hook) for hook in hooks),
    ]
    imports = cfg.get('custom_imports') or dict(imports=[], allow_failed_imports=False)
    cfg.custom_imports = dict(
        imports, imports=[*as_list(imports['imports']), 'cfcn_plugin.mm']
    )
    if recipe is not None:
        apply_recipe(cfg, recipe)
    return cfg


def _loads(cfg: Config, masks: dict, splits: Sequence[str]) -> dict[str, dict]:
    """The config of LoadActivationMask for each split that gets masks."""
    for name, given in (('splits', splits), ('masks', masks)):
        unknown = [] if 'type' in given else [s for s in given if s not in SPLITS]
        if isinstance(given, str) or unknown:
            raise ValueError(
                f'`{name}` knows the splits {SPLITS}, got {given!r}; a '
                'mask source has a `type`'
            )
    if 'type' in masks:
        masks = {split: masks for split in splits if cfg.get(f'{split}_dataloader')}
    loads = {}
    for split, given in masks.items():
        if split not in splits or not cfg.get(f'{split}_dataloader'):
            raise ValueError(
                f'`masks` has {split!r}, but '
                + (
                    f'`splits` is {tuple(splits)}'
                    if split not in splits
                    else f'the config has no {split}_dataloader'
                )
            )
        if name_of(given.get('type')) != 'LoadActivationMask':
            given = dict(type='LoadActivationMask', source=given)
        loads[split] = given
    return loads


def _guide_model(model: dict, guidance: dict | None, feature_hook: dict | None) -> dict:
    name = name_of(model.get('type'))
    if name in GUIDED_TYPES.values():
        raise ValueError(f'the model is a {name}: the config is guided already')
    if name not in GUIDED_TYPES:
        raise ValueError(
            f"the model's type is {name!r}, and those that can be guided are "
            f'{", ".join(GUIDED_TYPES)}'
        )
    if name != 'TimmClassifier' and not model.get('head'):
        raise ValueError(
            'the model has no head: it classifies nothing, so there is '
            'no decision to guide'
        )
    model = dict(
        model,
        type=renamed(model['type'], GUIDED_TYPES[name]),
        guidance=copy.deepcopy(guidance),
    )
    if feature_hook is not None:
        model['feature_hook'] = copy.deepcopy(feature_hook)
    return model


def _guide_preprocessor(preprocessor: dict) -> dict:
    name = name_of(preprocessor.get('type'))
    if name == GuidedDataPreprocessor.stock.type:
        return dict(preprocessor, type='GuidedDataPreprocessor')
    if name not in (None, 'GuidedDataPreprocessor'):
        raise ValueError(
            f'the data preprocessor {name} would leave masks behind: use '
            'ClsDataPreprocessor, or a subclass of GuidedDataPreprocessor in a config '
            'of your own'
        )
    return preprocessor


def guide_pipeline(pipeline: list, where: str, load: dict) -> list:
    """A stock pipeline that also loads the mask, and moves it with the image.

    Args:
        pipeline: Configs of transforms, the last one ``PackInputs``.
        where: The pipeline's place in the config, for messages.
        load: Config of LoadActivationMask.

    Raises:
        ValueError: It is not known how a transform moves pixels.
    """
    types = [transform_type(step['type']) for step in pipeline]
    if None in types:
        name = pipeline[types.index(None)]['type']
        raise ValueError(f'{where}: transform {name!r} is not registered')
    if PackInputs not in types:
        names = ', '.join(name_of(step['type']) for step in pipeline)
        raise ValueError(
            f'{where} does not end in PackInputs, whose place PackGuidedInputs would '
            f'take; its transforms are {names}'
        )
    # a data set that keeps its images in memory (CIFAR) has no loading step
    start = 1 + max(
        [i for i, kind in enumerate(types) if issubclass(kind, LoadImageFromFile)],
        default=-1,
    )
    return [
        *map(_load_safely, pipeline[:start], types),
        copy.deepcopy(load),
        *(_guide_step(*pair, where) for pair in zip(pipeline[start:], types[start:])),
    ]


def _load_safely(step: dict, kind: type) -> dict:
    """A loading step whose images start no program."""
    if kind is LoadImageFromFile and step.get('imdecode_backend', 'cv2') in PILLOW:
        return dict(step, type='LoadImage')
    return step


def _guide_step(step: dict, kind: type, where: str) -> dict:
    if kind is PackInputs:
        return dict(step, type=renamed(step['type'], 'PackGuidedInputs'))
    known = kind_of(kind)
    if known == 'photometric' or issubclass(kind, MaskAware):
        return step
    if known is None:
        raise ValueError(
            f'{where}: it is not known whether {name_of(step["type"])} moves pixels, '
            'and a mask must move with its image. If it moves none, write '
            "dict(type='MaskAware', photometric=True, transform=dict(...)) in its "
            'place; if it does, use a transform that MaskAware knows'
        )
    return dict(type='MaskAware', transform=step)


def _each_pipeline(cfg: Config, split: str, change: Callable) -> None:
    """Change every pipeline that a split's images go through."""
    loader = f'{split}_dataloader'
    if cfg.get(loader) is not None:
        cfg[loader] = copy.deepcopy(cfg[loader])  # splits may share objects
        changed = set()  # and a wrapper may hold one of them twice
        for where, one in dataset_configs(cfg[loader].dataset, f'{loader}.dataset'):
            if 'pipeline' in one and id(one) not in changed:
                one['pipeline'] = change(one['pipeline'], f'{where}.pipeline')
                changed.add(id(one))
    if split == 'train':
        for hook in cfg.get('custom_hooks') or ():
            if name_of(hook['type']) == 'SwitchRecipeHook':
                for recipe in hook['schedule']:
                    # stock configs say `pipeline`, which the hook does not read
                    for key in {'train_pipeline', 'pipeline'} & set(recipe):
                        recipe[key] = change(
                            recipe[key], f"the SwitchRecipeHook's {key}"
                        )


def as_list(value) -> list:
    """A config's value that may be one, several or None."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
