"""Any timm model as a backbone whose output a stock neck can pool."""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from os import PathLike
from pathlib import Path

import timm
import torch
from mmengine.logging import print_log
from mmpretrain.models import TIMMBackbone
from mmpretrain.models.backbones.timm_backbone import print_timm_feature_info
from timm.models import (
    PretrainedCfg,
    get_pretrained_cfg,
    load_model_config_from_hf,
    parse_model_name,
)
from torch import nn

from cfcn_plugin.features import timm_output
from cfcn_plugin.options import check_flag, check_whole
from cfcn_plugin.stock import Stock

from .timm_build import build_whole, drop_classifier


class GuidedTIMMBackbone(TIMMBackbone):
    """``TIMMBackbone`` whose output is always one (B, F, h, w) map.

    Transformers' tokens and channels-last maps are laid out for a stock pooling neck,
    so that changing ``model_name`` is one line. State-dict keys are the stock ones.

    Args:
        model_name: Name of a timm model, or ``'hf-hub:...'``, ``'local-dir:...'``.
        pretrained: Whether to load ImageNet weights, or those of the hub or folder.
        checkpoint_path: Local file of weights for this model, instead. A classifier
            in the file, of any number of classes, is left out.
        local_weights: Local files by model name. The one of ``model_name`` is loaded;
            without one, ``pretrained`` decides.
        img_size: The images' size, passed to models built for one size only (ViT,
            Swin ...). None: the model's own.
        channels_last: Whether to compute in PyTorch's channels-last memory format,
            often faster for convolutional models (time yours).
        in_channels: Channels of the images.
        init_cfg: As in ``TIMMBackbone``.
        **kwargs: Other arguments of ``timm.create_model``.

    Raises:
        RuntimeError: ImageNet weights, or the hub's model, could not be fetched.
        FileNotFoundError: A local file of weights, or a local folder, does not exist.
        UnsafeCheckpointError: A local file would run code when it is opened.
        CheckpointError: A local file is damaged.
        ValueError: The model does not exist, it gives no map without its classifier,
            or the weights are not its own.
        TypeError: An option has a value of the wrong type, or the channels are given
            by timm's name ``in_chans``.
    """

    @staticmethod
    def stock(config: dict) -> dict:
        """Of ``TIMMBackbone``, which passes ``img_size`` on to any model of timm."""
        extra = ['channels_last', 'local_weights']
        if not (config.get('img_size') and has_fixed_size(config['model_name'])):
            extra.append('img_size')
        return Stock('TIMMBackbone', extra)(config)

    def __init__(
        self,
        model_name: str,
        pretrained: bool = False,
        checkpoint_path: str = '',
        local_weights: dict[str, str] | None = None,
        img_size: int | tuple[int, int] | None = None,
        channels_last: bool = False,
        in_channels: int = 3,
        init_cfg: dict | list[dict] | None = None,
        **kwargs,
    ):
        # the stock constructor takes these steps in one: no error says which failed
        super(TIMMBackbone, self).__init__(init_cfg)
        _check_types(pretrained, checkpoint_path, local_weights, kwargs)
        check_flag('channels_last', channels_last)
        check_whole('in_channels', in_channels, least=1)
        if img_size is not None:
            for size in img_size if isinstance(img_size, Sequence) else (img_size,):
                check_whole('img_size', size, least=1)
        file = checkpoint_path or (local_weights or {}).get(model_name, '')
        _check_names(model_name, file)
        if img_size is not None and has_fixed_size(model_name):
            kwargs['img_size'] = img_size
        # a local file replaces the download
        self.timm_model = build_whole(
            model_name, pretrained and not file, in_chans=in_channels, **kwargs
        )
        drop_classifier(self.timm_model, model_name, file)
        self.is_init = bool(pretrained or file)  # else timm draws anew
        if self.is_init:
            print_log(
                f'weights: {model_name} is from '
                + (f"'{file}'" if file else _pretrained_name(self.timm_model)),
                logger='current',
            )
        print_timm_feature_info(getattr(self.timm_model, 'feature_info', None))
        self.memory_format = (
            torch.channels_last if channels_last else torch.contiguous_format
        )
        if channels_last:
            self.timm_model.to(memory_format=torch.channels_last)
        self.out_channels = timm_output(self.timm_model).channels

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        layout = timm_output(self.timm_model)
        x = x.contiguous(memory_format=self.memory_format)
        return tuple(layout.to_nchw(raw, x.shape[-2:]) for raw in super().forward(x))


def has_fixed_size(model_name: str) -> bool:
    """Whether a timm model is built for one size of image, its ``img_size``."""
    return bool(getattr(pretrained_config(model_name), 'fixed_input_size', False))


def pretrained_config(model_name: str) -> PretrainedCfg | None:
    """What timm knows of a model, also of one on the hub or in a local folder."""
    source, name = parse_model_name(model_name)
    if source == 'local-dir':
        name = _architecture(Path(name))
    elif source:
        name = load_model_config_from_hf(name)[1]
    return get_pretrained_cfg(name)


def _architecture(folder: Path) -> str:
    """The timm model's name in a local folder.

    Raises:
        ValueError: The folder's ``config.json`` has no such name.
    """
    file = folder / 'config.json'
    try:
        name = json.loads(file.read_text())['architecture']
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{file}' is not a config as timm.models.save_for_hf writes "
            f'one ({type(error).__name__}: {error})'
        ) from error
    return str(name)


def _check_types(pretrained, checkpoint_path, local_weights, others: dict) -> None:
    if not isinstance(pretrained, bool):
        raise TypeError(
            f'`pretrained` must be True or False, got {pretrained!r}: a '
            'file of weights is `checkpoint_path`'
        )
    if not isinstance(checkpoint_path, str | PathLike | None):
        raise TypeError(
            f'`checkpoint_path` must be the path of one file, got {checkpoint_path!r}: '
            'files by model name are `local_weights`'
        )
    if not isinstance(local_weights, dict | None):
        raise TypeError(
            '`local_weights` must be a dict of files by model name, got '
            f'{local_weights!r}: one file is `checkpoint_path`'
        )
    if 'in_chans' in others:
        raise TypeError(
            '`in_chans` is `in_channels` here, as in TIMMBackbone: write '
            f'in_channels={others["in_chans"]!r}'
        )


def _check_names(model_name: str, file: str) -> None:
    source, name = parse_model_name(model_name)
    if source == 'local-dir' and not Path(name, 'config.json').is_file():
        raise FileNotFoundError(
            f"'{name}' of model_name='{model_name}' is no folder with a config.json, "
            'as timm.models.save_for_hf writes one'
        )
    if source == 'local-dir' and not timm.is_model(_architecture(Path(name))):
        raise ValueError(
            f"'{name}/config.json': timm {timm.__version__} has no model "
            f'{_architecture(Path(name))!r}'
        )
    if not source and not timm.is_model(model_name):
        near = ', '.join(get_close_matches(model_name, timm.list_models(), 5))
        raise ValueError(
            f"timm {timm.__version__} has no model '{model_name}'; "
            f'near it: {near or "see timm.list_models()"}'
        )
    if file and not Path(file).is_file():
        raise FileNotFoundError(
            f"weights '{file}' of {model_name} do not exist: correct "
            '`model.backbone.checkpoint_path`, or train from scratch with '
            '`model.backbone.pretrained=False` and no file'
        )


def _pretrained_name(model: nn.Module) -> str:
    known = getattr(model, 'pretrained_cfg', None) or {}
    return "timm's pretrained weights " + '.'.join(
        filter(None, (known.get('architecture'), known.get('tag')))
    )
