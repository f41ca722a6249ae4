"""Pure functions from config to config."""
import copy

from mmengine.config import Config

from .models.backbones.timm_backbone import has_fixed_size
from .models.guided import GUIDED_TYPES

STOCK_TYPES = {guided: stock for stock, guided in GUIDED_TYPES.items()}
OUR_METRICS = ('AUROC', 'FocusMetric', 'GroupAccuracy')
OUR_HOOKS = ('FiniteFocusHook', 'GuidanceCheckHook', 'ResolvedConfigHook')
# Keys of GuidedTIMMBackbone that the stock TIMMBackbone does not have
BACKBONE_EXTRAS = ('channels_last', 'img_size', 'local_weights')


def unguide_config(cfg: Config) -> Config:
    """The stock config that a trained model fits.

    Guided types become stock types, guidance, masks, our metrics and hooks go (a split
    with none but ours gets top-1 accuracy); weights to start from go too, since the
    trained ones replace them.

    Args:
        cfg: Config of a guided model with a stock head. It is not changed.

    Returns:
        A config without a trace of ``cfcn_plugin``, but for data sets of ours.

    Raises:
        ValueError: The head is ours: only we can run it.
    """
    cfg = copy.deepcopy(cfg)
    cfg.model = _unguide_model(cfg.model)
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is not None:
            loader.dataset = _unguide_pipelines(loader.dataset)
        evaluators = cfg.get(f'{split}_evaluator')
        if evaluators is not None:
            many = evaluators if isinstance(evaluators, list) else [evaluators]
            stock = [m for m in many if m['type'] not in OUR_METRICS]
            cfg[f'{split}_evaluator'] = stock or [dict(type='Accuracy', topk=1)]
    for name, value in list(cfg.items()):  # what the config file itself named
        if name.endswith('pipeline') and isinstance(value, list):
            cfg[name] = _unguide_pipeline(value)
        elif isinstance(value, dict) and 'pipeline' in value:
            cfg[name] = _unguide_pipelines(value)
        elif isinstance(value, dict) and value.get('type') == 'LoadActivationMask':
            cfg.pop(name)
    if cfg.get('custom_hooks'):
        cfg.custom_hooks = [
            h for h in cfg.custom_hooks if h['type'] not in OUR_HOOKS
        ]
    cfg.load_from = None
    cfg.resume = False
    imports = cfg.get('custom_imports') or {}
    if imports.get('imports'):
        kept = [i for i in imports['imports'] if i != 'cfcn_plugin']
        cfg.custom_imports = dict(imports, imports=kept) if kept else None
    return cfg


def _unguide_model(model: dict) -> dict:
    model = copy.deepcopy(model)
    head = model.get('head') or {}
    if head.get('type') == 'CausalFocusHead':
        raise ValueError(
            'CausalFocusHead is not a stock head, so there is no stock config for it: '
            'train with a stock head (LinearClsHead), or export the network itself '
            'with torch.onnx.export or torch.jit.trace')
    model['type'] = STOCK_TYPES.get(model['type'], model['type'])
    for key in ('guidance', 'feature_hook'):
        model.pop(key, None)
    preprocessor = model.get('data_preprocessor')
    if preprocessor and preprocessor.get('type') == 'GuidedDataPreprocessor':
        preprocessor['type'] = 'ClsDataPreprocessor'
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


def _unguide_pipelines(dataset: dict) -> dict:
    if 'pipeline' in dataset:
        dataset['pipeline'] = _unguide_pipeline(dataset['pipeline'])
    if isinstance(dataset.get('dataset'), dict):
        dataset['dataset'] = _unguide_pipelines(dataset['dataset'])
    return dataset


def _unguide_pipeline(pipeline: list) -> list:
    stock = []
    for step in pipeline:
        if step['type'] == 'LoadActivationMask':
            continue
        if step['type'] == 'MaskAware':
            step = step['transform']
        elif step['type'] == 'PackGuidedInputs':
            step = {**step, 'type': 'PackInputs'}
        stock.append(step)
    return stock
