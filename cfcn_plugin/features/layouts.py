"""Where each backbone's last map is, and how it lies in memory: the one place.

To teach the package a backbone, add a line to :data:`TIMM_SITES` or
:data:`MMPRETRAIN`. Nothing here imports an mm package.
"""
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn


@dataclass(frozen=True)
class Layout:
    """A map's place in a model.

    Attributes:
        module: Dotted name of the module to hook; '' is the model itself.
        side: Whether the map is the module's ``'output'`` or ``'input'``.
        item: Which of several values it gives is the map.
        channels_last: Whether a 4-D map is (B, h, w, F).
        prefix_tokens: Tokens before the grid, where the map is (B, L, F).
        channels: F, or None where the table does not know it.
        grid: The token grid (h, w) for a picture (H, W); None: the grid with the
            picture's proportions.
    """
    module: str
    side: str = 'output'
    item: int = -1
    channels_last: bool = False
    prefix_tokens: int = 0
    channels: int | None = None
    grid: Callable | None = None

    def to_nchw(self, raw, picture: tuple[int, int]) -> Tensor:
        """The map as (B, F, h, w): a view where that is possible.

        Args:
            raw: What the module gave: a tensor, or a tuple or list of them.
            picture: (H, W) of the model's input.

        Raises:
            ValueError: It is no map of this layout.
        """
        while isinstance(raw, list | tuple) and raw:
            raw = raw[self.item]
        if not isinstance(raw, Tensor) or raw.dim() not in (3, 4):
            what = tuple(raw.shape) if isinstance(raw, Tensor) else type(raw).__name__
            raise ValueError(
                f"module '{self.module}' gives no spatial map: expected (B, F, h, w), "
                f'(B, h, w, F) or (B, L, F), got {what}; name another `target`')
        if raw.dim() == 4:
            return raw.permute(0, 3, 1, 2) if self.channels_last else raw
        tokens = raw[:, self.prefix_tokens:]
        h, w = self._grid(tokens.shape[1], picture)
        return tokens.transpose(1, 2).unflatten(2, (h, w))

    def _grid(self, length: int, picture: tuple[int, int]) -> tuple[int, int]:
        if self.grid is not None:
            h, w = self.grid(picture)
            if h * w == length:
                return h, w
        height, width = picture
        h = round((length * height / width)**0.5)
        w = round((length * width / height)**0.5)
        if h * w != length or not length:
            raise ValueError(
                f"module '{self.module}' gives {length} tokens after "
                f'{self.prefix_tokens} prefix tokens, which is no grid in the '
                f'proportions of the picture ({height}, {width}); give '
                '`prefix_tokens` or name another `target`')
        return h, w


# ---- timm ------------------------------------------------------------------
class Site(NamedTuple):
    """Where models of timm that have the module ``needs`` have their map.

    ``module`` is ``needs`` where it is left out; the others override what the model
    says of itself: ``channels`` is the attribute or module that knows F.
    """
    needs: str
    side: str
    module: str | None = None
    item: int = -1
    prefix_tokens: int | None = None
    channels: str | None = None


# The map is what `forward_features` gives. The first line that fits a model tells
# which module receives or makes it.
TIMM_SITES = (
    Site('pre_logits.fc1', 'input', 'pre_logits'),  # vgg: dense layers before its pool
    Site('head.in_conv', 'input', 'head'),  # efficientvit_mit, cpubone: widen first
    Site('in_conv', 'input'),  # lowformer, the same
    Site('head.global_pool', 'input'),  # swin, convnext, regnet, metaformer ...
    Site('global_pool', 'input'),  # resnet, efficientnet, mobilenet ...
    Site('head.norm', 'input', 'head'),  # mambaout, hiera: pool inside the head
    Site('head.proj', 'input', 'head'),  # CLIP's ResNets: attention pools
    Site('msfa', 'output'),  # mobilenetv5 without classifier: fuses stages
    Site('merger', 'input'),  # qwen3_vit without classifier
    Site('pooler', 'input'),  # gemma4_vit without classifier
    Site('encoder', 'output'),  # gemma4_vit, qwen3_vit, deepseek_vit
    # (map, class tokens); the norm after it sees class tokens alone
    Site('transformers', 'output', item=0),  # pit
    Site('norm4', 'output', prefix_tokens=1),  # coat: the coarsest of its scales
    Site('norm.3', 'output', channels='norm.3'),  # efficientvim: the last of its maps
    # two grids, the class token of each decides: the one of the larger patches
    Site('norm.1', 'output', prefix_tokens=1, channels='norm.1'),  # crossvit
    Site('aux_head', 'output', 'norm', prefix_tokens=1),  # volo
    Site('norm', 'output'),  # vit, deit, eva, beit, cait ...
    Site('stages', 'output'),  # levit, pvt_v2, repvit, iformer: no norm, no pool
)


def is_timm(module: nn.Module) -> bool:
    return type(module).__module__.startswith('timm.models')


def timm_features(model: nn.Module) -> Layout:
    """Where a bare timm model has the map its ``forward_features`` makes."""
    for site in TIMM_SITES:
        if _has_module(model, site.needs):
            return _timm_layout(model, site, model.num_features)
    raise UnknownBackbone(model)


def timm_output(model: nn.Module) -> Layout:
    """The output of a timm model without classifier and pooling.

    It can be later than ``forward_features``: mobilenetv3's ``conv_head`` is in it.
    """
    channels = getattr(model, 'head_hidden_size', None) or getattr(
        model, 'num_features', None)
    return _timm_layout(model, Site('', 'output'), channels)


def _timm_layout(model: nn.Module, site: Site, channels: int | None) -> Layout:
    if site.channels is not None:
        channels = model.get_submodule(site.channels).weight.shape[0]
    prefix_tokens = site.prefix_tokens
    if prefix_tokens is None:
        prefix_tokens = getattr(model, 'num_prefix_tokens', 0)
    return Layout(
        site.needs if site.module is None else site.module,
        site.side,
        item=site.item,
        channels_last=str(getattr(model, 'output_fmt', 'NCHW')).endswith('NHWC'),
        prefix_tokens=prefix_tokens,
        channels=channels,
        grid=getattr(getattr(model, 'patch_embed', None), 'dynamic_feat_size', None))


# ---- mmpretrain and ours: class name (or that of a base class) -> Layout -------
MMPRETRAIN = {
    'CFCNNet': lambda m: Layout('', channels=m.out_channels),
    'ResNet': lambda m: Layout('', channels=m.feat_dim),
    'SwinTransformer': lambda m: Layout('', channels=m.num_features[-1]),
    # pooled before its final norm
    'ConvNeXt': lambda m: Layout(
        f'stages.{len(m.stages) - 1}', channels=m.channels[-1]),
    # its own output is the class token alone
    'VisionTransformer': lambda m: Layout(
        'ln1', channels=m.embed_dims, prefix_tokens=m.num_extra_tokens),
}


def backbone_layout(backbone: nn.Module) -> Layout:
    """The last map of any known backbone.

    Raises:
        UnknownBackbone: No line of the table fits; the message lists what can be
            hooked instead.
    """
    if is_timm(backbone):
        return timm_features(backbone)
    if is_timm(getattr(backbone, 'timm_model', None)):  # TIMMBackbone and ours
        return _below('timm_model', timm_output(backbone.timm_model))
    for base in type(backbone).__mro__:
        if base.__name__ in MMPRETRAIN:
            return MMPRETRAIN[base.__name__](backbone)
    raise UnknownBackbone(backbone)


def locate(model: nn.Module) -> Layout:
    """The map that a model's pooling receives, whatever kind of model it is.

    Args:
        model: A classifier with ``backbone`` (and a ``head`` that may make maps of
            its own, which it names in ``activation_target``), a ``TimmClassifier``,
            a backbone, or a bare timm model.
    """
    target = getattr(getattr(model, 'head', None), 'activation_target', None)
    if target is not None:
        return Layout(f'head.{target}')
    if isinstance(model, nn.Sequential):  # a retriever's encoder: backbone, neck
        return _below('0', locate(model[0]))
    for inner in ('backbone', 'image_encoder', 'model'):
        if isinstance(getattr(model, inner, None), nn.Module):
            return _below(inner, locate(getattr(model, inner)))
    return backbone_layout(model)


class UnknownBackbone(ValueError):
    """No layout is known for a backbone.

    Args:
        backbone: The backbone.
        model: What it is part of, if targets are named from there.
    """

    def __init__(self, backbone: nn.Module, model: nn.Module | None = None):
        self.backbone = backbone
        super().__init__(
            f'no layout is known for {type(backbone).__name__}: name the module whose '
            "map to guide, dict(type='FeatureHook', target='...'); "
            f'{hookable(backbone if model is None else model)}')


def hookable(model: nn.Module, depth: int = 3) -> str:
    """A sentence that lists modules near the top of a model."""
    names = [n for n, _ in model.named_modules() if n and n.count('.') < depth]
    shown = ', '.join(names[:40])
    return f'there are: {shown}{", ..." if len(names) > 40 else ""}'


def _below(name: str, layout: Layout) -> Layout:
    module = f'{name}.{layout.module}' if layout.module else name
    return Layout(**{**vars(layout), 'module': module})


def _has_module(model: nn.Module, name: str) -> bool:
    for part in name.split('.'):
        model = getattr(model, part, None)
    return isinstance(model, nn.Module)
