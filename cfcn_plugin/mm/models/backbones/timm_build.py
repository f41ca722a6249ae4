"""Building a timm model that gives its map, with weights from the hub or a file."""

from pathlib import Path
from pickle import UnpicklingError

import timm
from mmpretrain.registry import MODELS
from timm.models import load_checkpoint, parse_model_name
from torch import nn

from cfcn_plugin.mm.safe_loading import checkpoint_errors

from .timm_weights import load_weights

# their errors mean that weights could not be reached
NETWORK = ('huggingface_hub', 'requests', 'httpx', 'httpx2', 'httpcore', 'urllib3')


def build_whole(model_name: str, pretrained: bool, **kwargs) -> nn.Module:
    """A timm model with its classifier.

    Args:
        model_name: As in ``GuidedTIMMBackbone``.
        pretrained: Whether to load timm's weights.
        **kwargs: Other arguments of ``timm.create_model``.

    Raises:
        RuntimeError: Weights, or the hub's model, could not be fetched.
        UnsafeCheckpointError: A local folder's weights would run code.
        CheckpointError: A local folder's weights are damaged.
    """
    if 'norm_layer' in kwargs:  # a name in mmpretrain's registry
        norm_layer = MODELS.get(kwargs['norm_layer'])
        kwargs['norm_layer'] = lambda *args, **options: norm_layer(*args, **options)
    try:
        return timm.create_model(model_name, pretrained=pretrained, **kwargs)
    except Exception as error:
        source, name = parse_model_name(model_name)
        if isinstance(error.__cause__ or error, UnpicklingError):  # a folder's weights
            with checkpoint_errors(_pickle_in(Path(name))):
                raise
        if not (pretrained or source) or not _is_download_error(error):
            raise
        why = f'could not be fetched ({type(error).__name__}: {_first_line(error)})'
        if source:
            raise RuntimeError(
                f"'{model_name}' {why}. Give a folder of it, "
                "`model.backbone.model_name='local-dir:FOLDER'`"
            ) from error
        raise RuntimeError(
            f'ImageNet weights of {model_name} {why}. Give a local file, '
            '`model.backbone.checkpoint_path=FILE`, or train from scratch, '
            '`model.backbone.pretrained=False`'
        ) from error


def _pickle_in(folder: Path) -> Path:
    """The file of weights in a local folder that can run code; else the folder."""
    files = [
        file
        for ending in ('bin', 'pth', 'pt', 'tar')
        for file in sorted(folder.glob(f'*.{ending}'))
    ]
    return files[0] if len(files) == 1 else folder


def drop_classifier(model: nn.Module, model_name: str, file: str) -> None:
    """Let a timm model give its map, neither pooled nor classified.

    Args:
        model: The whole timm model.
        model_name: Its name, for messages.
        file: Local file of weights to load, or ''. A classifier in the file is left
            out, so that its number of classes does not matter.

    Raises:
        ValueError: The model gives no map without its classifier, or the weights are
            not its own.
    """
    is_of_jax = Path(file).suffix.lower() in ('.npz', '.npy')
    if is_of_jax:
        load_checkpoint(model, file)  # the whole model translates
    whole = set(model.state_dict())
    try:
        if hasattr(model, 'reset_classifier'):
            model.reset_classifier(0, '')
    except AssertionError as error:  # of a head that must pool
        raise ValueError(
            f'timm cannot build {model_name} without its classifier '
            f'({_first_line(error)}): guide the whole of it, model=dict(type='
            f"'GuidedTimmClassifier', model_name='{model_name}')"
        ) from error
    if file and not is_of_jax:
        load_weights(model, file, model_name, whole - set(model.state_dict()))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition('\n')[0]


def _is_download_error(error: Exception | None) -> bool:
    """Whether weights could not be reached: the hub's errors, and the network's."""
    if error is None:
        return False
    package = type(error).__module__.split('.')[0]
    return (
        isinstance(error, OSError)
        or package in NETWORK
        or _is_download_error(error.__cause__ or error.__context__)
    )
