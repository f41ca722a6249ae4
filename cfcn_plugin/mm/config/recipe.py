"""What `guide_config` sets for a kind of network: what was measured to work there."""

import copy
import inspect

from mmengine.config import Config
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.registry import MODELS

from cfcn_plugin.mm.datasets.wrappers import dataset_configs
from cfcn_plugin.mm.models.backbones.timm_backbone import (
    has_fixed_size,
    pretrained_config,
)
from cfcn_plugin.stock import name_of

OUTLINES = 'work_dirs/outlines'  # entries go by content, so all runs may share it
# what makes masks that are not outlines, and where their objects are
MARKS = {
    'BoxMasks': 'around',
    'CUBBoxMasks': 'around',
    'YOLOMasks': 'around',
    'PointMasks': 'inside',
    'ScribbleMasks': 'inside',
}
# in the names of heads whose last linear layer gives the logits; others have cosines,
# convolutions or several layers
LINEAR_HEADS = ('Linear', 'VisionTransformer')
LOGIT_SCALE = 10.0  # of CFCN-C: docs/results/mri.md
LARGER = 4 / 3  # test images over training images, to the nearest multiple of 32
SIZES = {
    'Resize': 'scale',
    'ResizeEdge': 'scale',
    'CenterCrop': 'crop_size',
    'EfficientNetCenterCrop': 'crop_size',
}
# networks for one size of images that have no option `img_size`
FIXED_SIZE = ('EfficientFormer', 'Vig', 'PyramidVig')
BODY_RATE = 0.1  # of the head's learning rate


def recipe_load(load: dict, recipe: str | None) -> dict:
    """The config of LoadActivationMask of the training split under a recipe."""
    source = load['source']
    mark = MARKS.get(name_of(source['type']))
    if source.get('use') == 'bbox':
        mark = 'around'
    if recipe != 'pretrained' or mark is None or 'refine' in load:
        return load
    return dict(load, refine=dict(type='GrabCut', mark=mark, cache=OUTLINES))


def apply_recipe(cfg: Config, recipe: str) -> None:
    """Set a recipe's other options in a config that is guided already.

    Raises:
        ValueError: The config does not fit the recipe; the message says why.
    """
    if recipe == 'small':
        _classify_by_maps(cfg)
    else:
        _swap_backgrounds(cfg)
        _draw_guided(cfg)
        _fine_tune(cfg)
        _enlarge_test_images(cfg)


# ---- 'small' ----------------------------------------------------------------


def _classify_by_maps(cfg: Config) -> None:
    """CFCN-C's head, its logits scaled, in the place of pooling and a linear layer."""
    if not cfg.model.get('head') or name_of(cfg.model.type) != 'GuidedClassifier':
        raise ValueError(
            "recipe='small' (CFCN-C) replaces the neck and the head of an "
            f'ImageClassifier, got {name_of(cfg.model.type)}'
        )
    head = cfg.model.head
    if 'num_classes' not in head:
        raise ValueError(
            "recipe='small' (CFCN-C) replaces the layer that classifies, and the head "
            f'{name_of(head.type)} has none: end the backbone in a map, and give a '
            'head with `num_classes` (LinearClsHead)'
        )
    keys = ('num_classes', 'loss', 'thr', 'topk', 'cal_acc')
    kept = {key: head[key] for key in keys if key in head}
    several = is_multi_label(head)
    cfg.model.neck = None
    cfg.model.head = dict(
        type='CausalFocusHead',
        mode='class',
        multi_label=several,
        logit_scale=LOGIT_SCALE,
        **kept,
    )


# ---- 'pretrained' -----------------------------------------------------------


def _swap_backgrounds(cfg: Config) -> None:
    stock = (cfg.model.get('train_cfg') or {}).get('augments')
    preprocessor = cfg.get('data_preprocessor') or cfg.model.get('data_preprocessor')
    if stock or (preprocessor or {}).get('batch_augments'):
        raise ValueError(
            "recipe='pretrained' swaps the background of each image in each draw, and "
            'the config has other batch augments: take them out, in a config that has '
            'this one as `_base_`, by '
            + (
                '`model = dict(train_cfg=dict(augments=None))`'
                if stock
                else '`data_preprocessor = dict(batch_augments=None)` (of the model, '
                'where the model has it)'
            )
        )
    cfg.model.train_cfg = dict(
        cfg.model.get('train_cfg') or {},
        augments=dict(type='BackgroundSwap', prob=1.0, border=1.5, hole='box'),
    )
    classes = (cfg.model.get('head') or cfg.model).get('num_classes')
    for place in (cfg, cfg.model):  # the runner hands its own to the model
        if place.get('data_preprocessor'):
            place.data_preprocessor.setdefault('num_classes', classes)
    if not preprocessor:
        cfg.model.data_preprocessor = dict(num_classes=classes)


def _draw_guided(cfg: Config) -> None:
    loader = cfg.train_dataloader
    sampler = loader.get('batch_sampler') or loader.get('sampler') or {}
    if name_of(sampler.get('type')) not in ('DefaultSampler', 'GuidedSampler'):
        raise ValueError(
            "recipe='pretrained' draws guided images alone, equally many of each "
            'class, by GuidedSampler in the place of DefaultSampler, and the '
            f'train_dataloader has {name_of(sampler.get("type"))}: write '
            "train_dataloader.sampler=dict(type='DefaultSampler', shuffle=True)"
        )
    balanced = not is_multi_label(cfg.model.get('head') or {})
    loader.sampler = dict(
        sampler, type='GuidedSampler', fraction=1.0, class_balanced=balanced
    )


def _fine_tune(cfg: Config) -> None:
    head = cfg.model.get('head') or {}
    cfg.model.fine_tuning = dict(
        frozen=0.7,
        norm_eval=True,
        zero_head=not head
        or any(kind in name_of(head.get('type', '')) for kind in LINEAR_HEADS),
    )
    wrapper = cfg.get('optim_wrapper')
    if not wrapper or wrapper.get('constructor'):
        return  # a constructor of its own, such as layer decay, sets rates by depth
    paramwise = wrapper.get('paramwise_cfg') or {}
    rates = _rates(cfg.model)
    keys = dict(paramwise.get('custom_keys') or {})
    # of the keys in a parameter's name mmengine takes the longest alone
    for key in keys:
        if 'head' not in key and len(key) >= min(map(len, rates)):
            keys[key] = {'lr_mult': BODY_RATE, **keys[key]}
    for name, scale in rates.items():
        keys[name] = {**keys.get(name, {}), 'lr_mult': scale}
    wrapper.paramwise_cfg = dict(paramwise, custom_keys=keys)


def _rates(model: dict) -> dict[str, float]:
    """Factors of the learning rate: a tenth for what is pretrained."""
    kind = name_of(model['type'])
    if kind != 'GuidedTimmClassifier':
        body = 'backbone' if kind == 'GuidedClassifier' else 'image_encoder'
        return {body: BODY_RATE}
    head = getattr(pretrained_config(model['model_name']), 'classifier', None)
    heads = [head] if isinstance(head, str) else list(head or ())
    return {'model.': BODY_RATE, **{f'model.{name}': 1.0 for name in heads}}


def _enlarge_test_images(cfg: Config) -> None:
    if _has_fixed_size(cfg.model):
        return
    for split in ('val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader:
            loader = cfg[f'{split}_dataloader'] = copy.deepcopy(loader)
            for _, one in dataset_configs(loader.dataset, split):
                if 'pipeline' in one:
                    one['pipeline'] = _enlarged(one['pipeline'])


def _has_fixed_size(model: dict) -> bool:
    part = model.get('backbone') or model.get('image_encoder') or model
    if isinstance(part, list | tuple):  # a retriever's backbone and neck
        part = part[0]
    if 'model_name' in part:
        return has_fixed_size(part['model_name'])
    kind = _class_of(part['type'])
    # VGG and AlexNet that classify have a layer for each place of the map
    classifies = (part.get('num_classes') or 0) > 0
    return (
        classifies
        or kind.__name__ in FIXED_SIZE
        or 'img_size' in inspect.signature(kind).parameters
    )


def _enlarged(pipeline: list) -> list:
    """The pipeline with the sizes of its images about a third larger."""
    pipeline = copy.deepcopy(pipeline)
    steps = [step.get('transform', step) for step in pipeline]
    steps = [
        (step, SIZES[name_of(step['type'])])
        for step in steps
        if isinstance(step, dict) and name_of(step['type']) in SIZES
    ]
    if not steps:
        return pipeline
    last, key = steps[-1]
    size = _largest(last[key])
    scale = max(round(LARGER * size / 32), 1) * 32 / size
    if scale > 1:
        for step, key in steps:
            step[key] = _scaled(step[key], scale)
    return pipeline


def _largest(size: int | tuple[int, int]) -> int:
    return size if isinstance(size, int) else max(size)


def _scaled(size: int | tuple[int, int], scale: float) -> int | tuple[int, ...]:
    if isinstance(size, int):
        return round(size * scale)
    return tuple(round(side * scale) for side in size)


def is_multi_label(head: dict) -> bool:
    """Whether a head's images have several labels."""
    kind = _class_of(head['type']) if head else object
    return bool(head.get('multi_label')) or issubclass(kind, MultiLabelClsHead)


def _class_of(kind: str | type) -> type:
    return MODELS.get(kind) if isinstance(kind, str) else kind
