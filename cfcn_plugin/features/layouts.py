"""The table of backbones: the place of the last map, and its layout in memory.

To add a backbone, add a line to :data:`TIMM_SITES` or :data:`LAYOUTS`.
"""
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor, nn

# The norm before a block's attention, in timm and in mmpretrain
BLOCK_NORM = re.compile(r'\.\d+\.(norm1|ln1)$')


@dataclass(frozen=True)
class Layout:
    """The place of a map in a model, and its layout in memory.

    Attributes:
        module: Dotted name of the module to hook; '' is the model itself.
        side: Whether the map is the module's ``'output'`` or ``'input'``.
        item: Index of the map if the module gives several values.
        channels_last: Whether a 4-D map is (B, h, w, F).
        prefix_tokens: Number of tokens before the grid in a map (B, L, F).
        channels: F; None if the table does not have it.
        grid: A function from the image's (H, W) to the token grid (h, w); None: the
            grid has the image's proportions.
        patch: (rows, columns) in pixels of the patches, from the image's top left
            corner; None for a model without patches. See :meth:`covers`.
    """
    module: str
    side: str = 'output'
    item: int = -1
    channels_last: bool = False
    prefix_tokens: int = 0
    channels: int | None = None
    grid: Callable | None = None
    patch: tuple[int, int] | None = None

    def to_nchw(self, raw, image: tuple[int, int]) -> Tensor:
        """The map as (B, F, h, w), a view if possible.

        Args:
            raw: The value of the module: a tensor, or a tuple or list of tensors.
            image: (H, W) of the model's input.

        Raises:
            ValueError: ``raw`` is no map of this layout.
        """
        raw = self.pick(raw)
        if not isinstance(raw, Tensor) or raw.ndim not in (3, 4):
            what = tuple(raw.shape) if isinstance(raw, Tensor) else type(raw).__name__
            raise ValueError(
                f"module '{self.module}' gives no spatial map: expected (B, F, h, w), "
                f'(B, h, w, F) or (B, L, F), got {what}; name another `target`')
        if raw.ndim == 4:
            return raw.permute(0, 3, 1, 2) if self.channels_last else raw
        tokens = raw[:, self.prefix_tokens:]
        h, w = self._grid(tokens.shape[1], image)
        return tokens.transpose(1, 2).unflatten(2, (h, w))

    def covers(self, grid: tuple[int, int],
               image: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of pixels that the cells cover, from the top left corner.

        Where the image's size is no multiple of the patch, the remaining pixels are cut
        off (11 patches of 14 pixels cover 154 of 160), or the image is padded (the
        cells cover more than the image). Later stages halve the grid. The map of
        convolutions with padding covers the whole image.

        Args:
            grid: (h, w) of the map.
            image: (H, W) of the model's input.
        """
        if self.patch is None:
            return image
        return tuple(map(_covered, grid, image, self.patch))

    def pick(self, raw):
        """The map among the values of the module."""
        while isinstance(raw, list | tuple) and raw:
            raw = raw[self.item]
        return raw

    def _grid(self, length: int, image: tuple[int, int]) -> tuple[int, int]:
        if self.grid is not None:
            h, w = self.grid(image)
            if h * w == length:
                return h, w
        height, width = image
        h = round((length * height / width)**0.5)
        w = round((length * width / height)**0.5)
        if h * w != length or not length:
            raise ValueError(
                f"module '{self.module}' gives {length} tokens after "
                f'{self.prefix_tokens} prefix tokens, which is no grid in the '
                f'proportions of the image ({height}, {width}); give '
                '`prefix_tokens` or name another `target`')
        return h, w


def patch_size(model: nn.Module) -> tuple[int, int] | None:
    """(rows, columns) in pixels of the patches of the first convolution, or None."""
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None or first.kernel_size == (1, 1):
        return None
    whole = first.kernel_size == first.stride and first.padding in (0, (0, 0), 'valid')
    return first.kernel_size if whole else None


def _covered(cells: int, pixels: int, patch: int) -> int:
    halvings = max(0, round(math.log2(pixels / cells / patch)))
    stride = patch * 2**halvings
    fits = cells in (pixels // stride, math.ceil(pixels / stride))
    # otherwise the model resizes the image (crossvit) or the grid
    return cells * stride if fits else pixels


# ---- timm ------------------------------------------------------------------
class Site(NamedTuple):
    """The place of the map in timm models that have the module ``needs``.

    ``module`` is the module to hook, by default ``needs``. ``prefix_tokens`` overrides
    the model's own attribute. ``channels`` names a module whose weight has F rows.
    """
    needs: str
    side: str
    module: str | None = None
    item: int = -1
    prefix_tokens: int | None = None
    channels: str | None = None


# The map is that of `forward_features`. The first line that fits a model gives the
# module that receives or returns the map.
TIMM_SITES = (
    Site('pre_logits.fc1', 'input', 'pre_logits'),  # vgg: dense layers before pooling
    Site('head.in_conv', 'input', 'head'),  # efficientvit_mit, cpubone: conv first
    Site('in_conv', 'input'),  # lowformer: the same
    Site('head.global_pool', 'input'),  # swin, convnext, regnet, metaformer ...
    Site('global_pool', 'input'),  # resnet, efficientnet, mobilenet ...
    Site('head.norm', 'input', 'head'),  # mambaout, hiera: pooling inside the head
    Site('head.proj', 'input', 'head'),  # CLIP's ResNets: attention pooling
    Site('msfa', 'output'),  # mobilenetv5 without classifier: fuses stages
    Site('merger', 'input'),  # qwen3_vit without classifier
    Site('pooler', 'input'),  # gemma4_vit without classifier
    Site('encoder', 'output'),  # gemma4_vit, qwen3_vit, deepseek_vit
    # (map, class tokens); the norm after this module gets the class tokens only
    Site('transformers', 'output', item=0),  # pit
    Site('norm4', 'output', prefix_tokens=1),  # coat: its coarsest map
    Site('norm.3', 'output', channels='norm.3'),  # efficientvim: its last map
    # two grids, each with a class token that is classified: that of the larger patches
    Site('norm.1', 'output', prefix_tokens=1, channels='norm.1'),  # crossvit
    Site('post_network', 'output', 'norm', prefix_tokens=1),  # volo
    Site('norm', 'output'),  # vit, deit, eva, beit, cait ...
    Site('stages', 'output'),  # levit, pvt_v2, repvit, iformer: no norm, no pooling
)


# timm models with one of these modules return class tokens without their classifier
POOLED_OUTPUTS = ('dist_token', 'transformers', 'norm.3')  # deit, pit, efficientvim


def timm_output(model: nn.Module) -> Layout:
    """The layout of the output of a timm model without classifier and pooling.

    The output can be later than ``forward_features``: it includes mobilenetv3's
    ``conv_head``.

    Raises:
        ValueError: The output is no map.
    """
    if any(_get(model, name) is not None for name in POOLED_OUTPUTS):
        raise ValueError(
            f'{type(model).__name__} without its classifier gives class tokens and no '
            "map to pool: guide the whole of it, model=dict(type='GuidedTimmClassifier'"
            ', model_name=...)')
    channels = getattr(model, 'head_hidden_size', None)
    here = Site('', 'output')
    tokens = (_site(model) or here).prefix_tokens
    return _timm_layout(model, here._replace(prefix_tokens=tokens),
                        channels or getattr(model, 'num_features', None))


def _site(model: nn.Module) -> Site | None:
    return next((site for site in TIMM_SITES
                 if isinstance(_get(model, site.needs), nn.Module)), None)


def _is_timm(module: nn.Module) -> bool:
    return type(module).__module__.startswith('timm.models')


def _timm_layout(model: nn.Module, site: Site, channels: int | None) -> Layout:
    if site.channels is not None:
        channels = _width(model.get_submodule(site.channels))
    prefix_tokens = site.prefix_tokens
    if prefix_tokens is None:
        prefix_tokens = getattr(model, 'num_prefix_tokens', 0)
    return Layout(
        site.needs if site.module is None else site.module, site.side, site.item,
        str(getattr(model, 'output_fmt', 'NCHW')).endswith('NHWC'), prefix_tokens,
        channels, _get(model, 'patch_embed.dynamic_feat_size'))


# ---- mmpretrain and ours -----------------------------------------------------
def _own(channels: Callable) -> Callable:
    """The layout of a backbone whose last output is the map, as (B, F, h, w)."""
    return lambda m: Layout('', channels=channels(m))


def _width(norm: nn.Module) -> int:
    return norm.weight.shape[0]


def _last_norm(m: nn.Module) -> nn.Module:
    return getattr(m, f'norm{m.out_indices[-1]}')


def _vit(m: nn.Module) -> Layout:
    """Tokens; the backbone's own output is the class token or the mean token."""
    module = 'ln1' if m.final_norm else f'layers.{len(m.layers) - 1}'
    return Layout(module, channels=m.embed_dims, prefix_tokens=m.num_extra_tokens)


def _pooled_stage(m: nn.Module) -> Layout:
    """The stage before the final norm, if the backbone pools before that norm."""
    module = f'stages.{m.out_indices[-1]}' if m.gap_before_final_norm else ''
    return Layout(module, channels=_width(_last_norm(m)))


def _hornet(m: nn.Module) -> Layout:
    # activation checkpointing bypasses the stage's own forward, but not its last block
    layout = _pooled_stage(m)
    last = len(m.stages[m.out_indices[-1]]) - 1
    return replace(layout, module=layout.module and f'{layout.module}.{last}')


def _vgg(m: nn.Module) -> Layout:
    # VGG calls its layers one by one, so the last layer is hooked
    convs = [c for c in m.modules() if isinstance(c, nn.Conv2d)]
    last = m.range_sub_modules[-1][1] - 1
    return Layout(f'{m.module_name}.{last}', channels=convs[-1].out_channels)


# names of backbones' classes or base classes -> the layout of the backbone
LAYOUTS = {
    # convolutional
    ('CFCNNet', 'EfficientNet', 'EfficientNetV2'): _own(lambda m: m.out_channels),
    ('CSPNet', ): _own(lambda m: m.arch['out_channels'][-1]),
    ('DenseNet', ): _own(lambda m: _width(m.transitions[-1][0])),
    # without a neck that fuses the scales, the coarsest scale
    ('HRNet', ): _own(lambda m: m.extra['stage4']['num_channels'][-1]),
    ('InceptionV3', ): lambda m: Layout('avgpool', 'input', channels=m.fc.in_features),
    # the last convolution reduces the map to one cell: its input is the map
    ('LeNet5', ): lambda m: Layout('features.6', 'input', channels=16),
    ('MobileNetV2', ): _own(lambda m: m.out_channel),
    ('MobileNetV3', 'ResNet'): _own(lambda m: m.feat_dim),
    ('MobileOne', ): _own(lambda m: m.in_planes),
    ('RepLKNet', ): _own(lambda m: m.arch['channels'][-1]),
    ('RepVGG', ): _own(lambda m: m.stage_4[-1].out_channels),
    ('ShuffleNetV1', ): _own(lambda m: m.in_channels),
    ('ShuffleNetV2', ): _own(lambda m: m.layers[-1].conv.out_channels),
    ('VGG', ): _vgg,
    ('ConvNeXt', 'EdgeNeXt', 'TinyViT'): _pooled_stage,
    ('HorNet', ): _hornet,
    # graphs of patches, MLPs and transformers that return maps
    ('Vig', ): _own(lambda m: m.pos_embed.shape[1]),
    ('PyramidVig', 'RepMLPNet'): _own(lambda m: m.channels[-1]),
    ('ConvMixer', 'HiViT'): _own(lambda m: m.embed_dims),
    ('LeViT', 'PCPVT', 'VAN'): _own(lambda m: m.embed_dims[-1]),
    ('DaViT', 'SwinTransformer'): _own(lambda m: m.num_features[-1]),
    ('PoolFormer', 'RIFormer', 'SwinTransformerV2'): _own(
        lambda m: _width(_last_norm(m))),
    ('MViT', ): _own(lambda m: _width(getattr(m, f'norm{max(m.out_scales)}'))),
    ('MobileViT', ): _own(lambda m: m.conv_1x1_exp.conv.out_channels),
    # transformers that return tokens
    ('BEiTViT', 'VisionTransformer'): _vit,
    ('EfficientFormer', ): lambda m: Layout(  # (B, F, L) after this norm
        f'norm{m.out_indices[-1]}', channels=_width(_last_norm(m))),
    ('MixMIMTransformer', ): lambda m: Layout('norm', channels=m.num_features),
    ('MlpMixer', ): lambda m: Layout('ln1', channels=m.embed_dims),  # then (B, F, L)
    ('RevVisionTransformer', ): lambda m: Layout(
        'fusion_layer', prefix_tokens=m.num_extra_tokens,
        channels=m.embed_dims * (2 if m.fusion_layer.mode == 'concat' else 1)),
    ('T2T_ViT', ): lambda m: Layout(
        'norm' if m.final_norm else f'encoder.{len(m.encoder) - 1}',
        prefix_tokens=m.num_extra_tokens, channels=m.pos_embed.shape[-1]),
    ('TNT', 'XCiT'): lambda m: Layout('norm', channels=m.embed_dims, prefix_tokens=1),
    # two branches, each with a classifier: the map is that of the convolutions
    ('Conformer', ): lambda m: Layout(f'conv_trans_{m.fin_stage - 1}', item=0),
    ('LoRAModel', ): lambda m: _below('module', backbone_layout(m.module)),
}
MMPRETRAIN = {name: layout for names, layout in LAYOUTS.items() for name in names}


def attention_input(model: nn.Module, layout: Layout) -> Layout:
    """For a map with class tokens, the layout of the input of the last attention.

    If the head uses only the class token, no score has a gradient in the other tokens
    of the last map. For a map without class tokens, the unchanged layout.

    Raises:
        ValueError: The blocks have no norm with one of the known names.
    """
    if not layout.prefix_tokens:
        return layout
    norms = [n for n, _ in model.named_modules() if BLOCK_NORM.search(n)]
    if not norms:
        raise ValueError(
            f"the map of '{layout.module}' has class tokens, and there is no norm1 or "
            'ln1 in a block, before the attention that they read it by: name the '
            f'module to explain (`layer`); {hookable(model)}')
    return replace(layout, module=norms[-1], side='output', item=-1)


def backbone_layout(backbone: nn.Module) -> Layout:
    """The layout of the last map of any known backbone.

    Raises:
        UnknownBackbone: No line of the table fits; the message lists the modules that
            can be hooked.
    """
    if _is_timm(backbone):  # the map of its forward_features
        site = _site(backbone)
        if site is None:
            raise UnknownBackbone(backbone)
        return _timm_layout(backbone, site, backbone.num_features)
    if _is_timm(getattr(backbone, 'timm_model', None)):  # TIMMBackbone and ours
        return _below('timm_model', timm_output(backbone.timm_model))
    for base in type(backbone).__mro__:
        if base.__name__ in MMPRETRAIN:
            return MMPRETRAIN[base.__name__](backbone)
    raise UnknownBackbone(backbone)


def locate(model: nn.Module) -> Layout:
    """The layout of the map that a model's pooling receives, for any kind of model.

    Args:
        model: A classifier with ``backbone``, a ``TimmClassifier``, a backbone, or a
            bare timm model. A ``head`` with its own maps names the module of these
            maps in ``activation_target``.
    """
    target = getattr(getattr(model, 'head', None), 'activation_target', None)
    return Layout(f'head.{target}') if target else locate_below_head(model)


def locate_below_head(model: nn.Module) -> Layout:
    """As :func:`locate`, but never a map of the head."""
    if isinstance(model, nn.Sequential):  # a retriever's encoder: backbone, neck
        return _below('0', locate(model[0]))
    neck = getattr(model, 'neck', None)
    if isinstance(neck, nn.Sequential) and len(neck) > 1:  # HRNet's: the last pools
        return Layout(f'neck.{len(neck) - 2}')
    for inner in ('backbone', 'image_encoder', 'model'):
        if isinstance(getattr(model, inner, None), nn.Module):
            return _below(inner, locate(getattr(model, inner)))
    return backbone_layout(model)


class UnknownBackbone(ValueError):
    """No layout is known for a backbone, alone or in a model that names targets."""

    def __init__(self, backbone: nn.Module, model: nn.Module | None = None):
        self.backbone = backbone
        super().__init__(
            f'no layout is known for {type(backbone).__name__}: name the module whose '
            "map to guide, dict(type='FeatureHook', target='...'); "
            f'{hookable(backbone if model is None else model)}')


def hookable(model: nn.Module, depth: int = 3) -> str:
    """A sentence that lists the modules near the root of a model."""
    names = [n for n, _ in model.named_modules() if n and n.count('.') < depth]
    shown = ', '.join(names[:40])
    return f'there are: {shown}{", ..." if len(names) > 40 else ""}'


def _below(name: str, layout: Layout) -> Layout:
    return replace(layout, module=f'{name}.{layout.module}'.rstrip('.'))


def _get(model: nn.Module, name: str):
    for part in name.split('.'):
        model = getattr(model, part, None)
    return model
