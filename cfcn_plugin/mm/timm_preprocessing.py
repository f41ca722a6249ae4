"""What timm must know of the images that a model was trained on."""

import logging

from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from cfcn_plugin.mm.datasets.wrappers import first_pipeline
from cfcn_plugin.stock import name_of

INTERPOLATIONS = ('nearest', 'bilinear', 'bicubic', 'lanczos')  # of both


def timm_preprocessing(cfg: Config, model: nn.Module) -> dict:
    """Mean, std, size, crop and class names, by the names of timm's pretrained configs.

    A warning says what a config's images have and timm's transforms cannot do.

    Args:
        cfg: The config, of which the test pipeline is read.
        model: The trained model, with its data preprocessor.
    """
    given = _normalization(model.data_preprocessor)
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader')
    steps = [_unwrapped(step) for step in first_pipeline(loader)]
    given.update(_crop(steps, len(given['mean'])))
    if 'input_size' not in given:
        _warn(
            'the test pipeline has no resize or crop of one size: the size of images '
            "in config.json is the architecture's own"
        )
    if not model.data_preprocessor.to_rgb:
        _warn(
            'the model was trained on BGR images (data_preprocessor.to_rgb=False), '
            "and timm's transforms give RGB: reverse the channels before the model"
        )
    return given


def _normalization(preprocessor: nn.Module) -> dict:
    """For pixels in [0, 1], as timm has them; the config's are for [0, 255]."""
    if not getattr(preprocessor, '_enable_normalize', False):
        return dict(mean=(0.0,) * 3, std=(1 / 255,) * 3)
    return {
        name: tuple(
            value / 255 for value in getattr(preprocessor, name).flatten().tolist()
        )
        for name in ('mean', 'std')
    }


def _unwrapped(step: dict) -> dict:
    return step['transform'] if name_of(step['type']) == 'MaskAware' else step


def _crop(steps: list[dict], channels: int) -> dict:
    found, edge = {}, None
    for step in steps:
        name, size = name_of(step['type']), step.get('crop_size', step.get('scale'))
        if name == 'ResizeEdge':
            edge = size
            found = dict(input_size=(channels, edge, edge), crop_pct=1.0)
        elif name == 'Resize' and size is not None:
            wide, high = (size, size) if isinstance(size, int) else size
            edge = None
            found = dict(
                input_size=(channels, high, wide), crop_pct=1.0, crop_mode='squash'
            )
        elif name in ('CenterCrop', 'EfficientNetCenterCrop'):
            high, wide = (size, size) if isinstance(size, int) else size
            if name == 'EfficientNetCenterCrop' and step.get('efficientnet_style'):
                edge = high + step.get('crop_padding', 32)
            found = {
                **found,
                'input_size': (channels, high, wide),
                'crop_pct': high / edge if edge else 1.0,
            }
            if edge:
                found['crop_mode'] = 'center'
        if step.get('interpolation') in INTERPOLATIONS:
            found['interpolation'] = step['interpolation']
        elif found and 'interpolation' not in found:
            found['interpolation'] = 'bilinear'
    return found


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
