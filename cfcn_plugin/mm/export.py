"""Exporting a trained guided model as a stock model with equal predictions."""

import copy
import inspect
from pathlib import Path

import timm
import torch
from mmengine.config import Config
from mmpretrain.models import LinearClsHead, TimmClassifier
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from .config import unguide_config
from .timm_preprocessing import timm_preprocessing
from .trained_model import load_trained

TOLERANCE = 1e-6  # relative to the largest logit, or absolute if that is below 1


def export_mmpretrain(cfg: Config, checkpoint: str, out: str | Path) -> list[Path]:
    """Write ``OUT.pth``, weights only, and ``OUT.py``, the unguided config.

    Args:
        cfg: The guided config with resolved ``in_channels`` (as in the work dir).
        checkpoint: The checkpoint of the guided model.
        out: Path without suffix. An existing file is an error.

    Returns:
        The two files.

    Raises:
        FileExistsError: A file exists.
        ValueError: The head is of cfcn_plugin, or the stock model's logits differ.
    """
    weights, config = free_path(out, '.pth'), free_path(out, '.py')
    guided = load_trained(cfg, checkpoint)
    stock_cfg = unguide_config(cfg)
    for key, value in getattr(guided, 'resolved', {}).items():
        stock_cfg.merge_from_dict({f'model.{key}': value})
    stock = MODELS.build(copy.deepcopy(stock_cfg.model)).eval()
    stock.load_state_dict(guided.state_dict(), strict=True)
    _compare(guided, stock, "mmpretrain's stock model")
    meta = {'dataset_meta': guided._dataset_meta} if guided._dataset_meta else {}
    torch.save({'state_dict': stock.state_dict(), 'meta': meta}, weights)
    stock_cfg.dump(config)
    return [weights, config]


def export_timm(cfg: Config, checkpoint: str, out: str | Path) -> list[Path]:
    """Write a timm model: a folder for timm's hub names, and a file of weights alone.

    The folder ``OUT`` is for ``timm.create_model('local-dir:OUT', pretrained=True)``.
    Its ``config.json`` has what the model needs of its images (mean, std, size, crop),
    so that ``timm.data.resolve_model_data_config(model)`` is right, and the names of
    the classes. ``OUT.pth`` is for ``timm.create_model(**timm_arguments(cfg),
    checkpoint_path='OUT.pth')``, which knows neither.

    Args:
        cfg, checkpoint, out: As in :func:`export_mmpretrain`.

    Returns:
        The file of weights, and the folder.

    Raises:
        FileExistsError: The file or the folder exists.
        ValueError: The model is neither a timm backbone with pooling and a linear head
            nor a ``TimmClassifier``, or the logits of timm's own model differ
            (mobilenetv3 pools before its last convolution).
    """
    weights, folder = free_path(out, '.pth'), free_path(out, '')
    guided = load_trained(cfg, checkpoint)
    model = _timm_model(cfg, guided).eval()
    _compare(guided, model, 'the timm model')
    torch.save(model.state_dict(), weights)
    _save_for_hub(cfg, guided, model, folder)
    return [weights, folder]


def _save_for_hub(
    cfg: Config, guided: nn.Module, model: nn.Module, folder: Path
) -> None:
    of_others = ('test_input_size', 'test_crop_pct', 'label_names', 'label_offset')
    own = {k: v for k, v in model.pretrained_cfg.items() if k not in of_others}
    model.pretrained_cfg = {**own, **timm_preprocessing(cfg, guided)}
    arguments = timm_arguments(cfg)
    del arguments['model_name'], arguments['num_classes']
    classes = (guided._dataset_meta or {}).get('classes')
    timm.models.save_for_hf(
        model,
        folder,
        dict(label_names=list(classes)) if classes else None,
        model_args=arguments,
        safe_serialization=True,
    )


def timm_arguments(cfg: Config) -> dict:
    """The arguments of ``timm.create_model`` for the exported weights."""
    stock = unguide_config(cfg).model
    if 'backbone' not in stock:  # a whole timm model
        own = {
            *inspect.signature(TimmClassifier).parameters,
            'type',
            'pretrained',
            'checkpoint_path',
        }
        return {k: v for k, v in stock.items() if k not in own}
    backbone = stock.backbone
    own = {
        'type',
        'pretrained',
        'checkpoint_path',
        'features_only',
        'init_cfg',
        'in_channels',
        'model_name',
    }
    arguments = {k: v for k, v in backbone.items() if k not in own}
    if 'in_channels' in backbone:
        arguments['in_chans'] = backbone.in_channels
    built = timm.create_model(backbone.model_name, **arguments)
    if hasattr(built, 'num_prefix_tokens') and hasattr(built, 'fc_norm'):
        # stock pooling averages normalised patch tokens
        arguments.update(global_pool='avg', final_norm=True, fc_norm=False)
    return dict(
        model_name=backbone.model_name, num_classes=stock.head.num_classes, **arguments
    )


def _timm_model(cfg: Config, guided: nn.Module) -> nn.Module:
    whole = isinstance(guided, TimmClassifier)
    backbone, head = (getattr(guided, part, guided) for part in ('backbone', 'head'))
    if not whole and (
        type(head) is not LinearClsHead or not hasattr(backbone, 'timm_model')
    ):
        raise ValueError(
            f'{type(backbone).__name__} with {type(head).__name__} is no timm model: '
            '--to timm takes a timm backbone with a LinearClsHead'
        )
    model = timm.create_model(**timm_arguments(cfg))
    state = guided.model.state_dict() if whole else _state_of_parts(guided, model)
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(
            "the trained weights do not fit timm's own "
            f'{model.pretrained_cfg["architecture"]}: {error}'
        ) from error
    return model


def _state_of_parts(guided: nn.Module, model: nn.Module) -> dict[str, Tensor]:
    """Weights of backbone and head by their names in timm's complete model."""
    classifier = model.pretrained_cfg['classifier']
    if not isinstance(classifier, str):
        raise ValueError(
            f'{model.pretrained_cfg["architecture"]} has several '
            f'classifiers ({", ".join(classifier)}): use --to mmpretrain'
        )
    linear = guided.head.fc
    return {
        **guided.backbone.timm_model.state_dict(),
        f'{classifier}.weight': linear.weight,
        f'{classifier}.bias': linear.bias,
    }


def _compare(guided: nn.Module, stock: nn.Module, what: str) -> None:
    """Check that both models give the same logits for random images.

    Raises:
        ValueError: The logits differ, or the stock model cannot run.
    """
    shape = (2, _channels(guided), *_image_size(guided))
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = _logits(guided(images))
        try:
            theirs = _logits(stock(images))
        except RuntimeError as error:
            raise ValueError(
                f'{what} cannot run these weights ({error}): stock pooling takes no '
                'tokens or channels-last maps; use --to timm'
            ) from error
    worst = (ours - theirs).abs().max().item()
    allowed = TOLERANCE * max(1, ours.abs().max().item())
    if not worst <= allowed:
        raise ValueError(
            f'the logits of {what} differ by up to {worst:.3g}, allowed is '
            f'{allowed:.3g}. The stock model pools at another place; use --to '
            'mmpretrain, or keep cfcn_plugin installed where the model is used'
        )


def _channels(model: nn.Module) -> int:
    """Number of image channels by the first convolution; 3 without convolution."""
    kernels = (p for p in model.parameters() if p.dim() == 4)
    return next((k.shape[1] for k in kernels), 3)


def _image_size(model: nn.Module) -> tuple[int, int]:
    inner = getattr(getattr(model, 'backbone', model), 'timm_model', None)
    size = getattr(getattr(inner, 'patch_embed', None), 'img_size', None)
    return tuple(size) if size is not None else (224, 224)


def _logits(out) -> Tensor:
    return out[-1] if isinstance(out, tuple | list) else out


def free_path(out: str | Path, suffix: str) -> Path:
    """The path of an output that does not exist yet; its folder is made.

    Raises:
        FileExistsError: The output exists.
    """
    path = Path(f'{out}{suffix}')
    if path.exists():
        raise FileExistsError(f"'{path}' exists and is not overwritten")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
