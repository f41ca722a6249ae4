"""Any timm model as a backbone whose output a stock neck can pool."""
from difflib import get_close_matches
from pathlib import Path

import timm
import torch
from mmpretrain.models import TIMMBackbone
from timm.models import get_pretrained_cfg

from cfcn_plugin.features import timm_output
from cfcn_plugin.mm.safe_loading import refusal, refused, weights_only
from cfcn_plugin.stock import Stock

# whose errors mean that weights could not be reached
NETWORK_PACKAGES = ('huggingface_hub', 'requests', 'httpx', 'httpx2', 'httpcore',
                    'urllib3')


class GuidedTIMMBackbone(TIMMBackbone):
    """``TIMMBackbone`` whose output is always one (B, F, h, w) map.

    Transformers' tokens and channels-last maps are laid out for a stock pooling neck,
    so that changing ``model_name`` is one line. State-dict keys are the stock ones.

    Args:
        model_name: Name of a timm model.
        pretrained: Whether to load ImageNet weights.
        checkpoint_path: Local file of weights for this model, instead.
        local_weights: Local files by model name. The one of ``model_name`` is loaded;
            without one, ``pretrained`` decides.
        img_size: The images' size, passed to models built for one size only (ViT,
            Swin ...). None: the model's own.
        channels_last: Whether to compute in PyTorch's channels-last memory format,
            often faster for convolutional models (time yours).
        **kwargs: As in ``TIMMBackbone``.

    Raises:
        RuntimeError: ImageNet weights could not be fetched.
        FileNotFoundError: A local file of weights does not exist.
        UnsafeCheckpointError: A local file would run code when it is opened.
        ValueError: The model does not exist, it gives no map without its classifier,
            or the weights are not its own.
    """

    @staticmethod
    def stock(config: dict) -> dict:
        """Of ``TIMMBackbone``, which passes ``img_size`` on to any model of timm."""
        extra = {'channels_last', 'img_size', 'local_weights'}
        if config.get('img_size') and has_fixed_size(config['model_name']):
            extra.remove('img_size')
        return Stock('TIMMBackbone', extra_keys=extra)(config)

    def __init__(self,
                 model_name: str,
                 pretrained: bool = False,
                 checkpoint_path: str = '',
                 local_weights: dict[str, str] | None = None,
                 img_size: int | tuple[int, int] | None = None,
                 channels_last: bool = False,
                 **kwargs):
        if not timm.is_model(model_name):
            near = ', '.join(get_close_matches(model_name, timm.list_models(), 5))
            raise ValueError(f"timm {timm.__version__} has no model '{model_name}'; "
                             f'near it: {near or "see timm.list_models()"}')
        checkpoint_path = checkpoint_path or (local_weights or {}).get(model_name, '')
        if checkpoint_path and not Path(checkpoint_path).is_file():
            raise FileNotFoundError(
                f"weights '{checkpoint_path}' of {model_name} do not exist: correct "
                '`model.backbone.checkpoint_path`, or train from scratch with '
                '`model.backbone.pretrained=False` and no file')
        if img_size is not None and has_fixed_size(model_name):
            kwargs['img_size'] = img_size
        # a local file replaces the download
        pretrained = pretrained and not checkpoint_path
        try:
            with weights_only():
                super().__init__(
                    model_name,
                    pretrained=pretrained,
                    checkpoint_path=checkpoint_path,
                    **kwargs)
        except Exception as error:
            if checkpoint_path and refused(error):
                raise refusal(checkpoint_path, error) from error
            if checkpoint_path and 'state_dict' in str(error):
                raise ValueError(
                    f"weights '{checkpoint_path}' are not those of {model_name}: give "
                    'its own by `model.backbone.checkpoint_path`') from error
            if pretrained and _is_download_error(error):
                raise RuntimeError(
                    f'ImageNet weights of {model_name} could not be fetched '
                    f'({type(error).__name__}: {_first_line(error)}). Give a local '
                    'file, `model.backbone.checkpoint_path=FILE`, or train from '
                    'scratch, `model.backbone.pretrained=False`') from error
            if isinstance(error, AssertionError):  # timm's, of a head that must pool
                raise ValueError(
                    f'timm cannot build {model_name} without its classifier '
                    f"({_first_line(error)}): guide the whole of it, model=dict(type="
                    f"'GuidedTimmClassifier', model_name='{model_name}')") from error
            raise
        self.memory_format = (
            torch.channels_last if channels_last else torch.contiguous_format)
        if channels_last:
            self.timm_model.to(memory_format=torch.channels_last)
        self.out_channels = timm_output(self.timm_model).channels

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        layout = timm_output(self.timm_model)
        x = x.contiguous(memory_format=self.memory_format)
        return tuple(layout.to_nchw(raw, x.shape[-2:]) for raw in super().forward(x))


def has_fixed_size(model_name: str) -> bool:
    """Whether a timm model is built for one size of image, its ``img_size``."""
    return bool(getattr(get_pretrained_cfg(model_name), 'fixed_input_size', False))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [''])[0]


def _is_download_error(error: Exception | None) -> bool:
    """Whether weights could not be reached: the hub's errors, and the network's."""
    while error is not None:
        package = type(error).__module__.split('.')[0]
        if isinstance(error, OSError) or package in NETWORK_PACKAGES:
            return True
        error = error.__cause__ or error.__context__
    return False
