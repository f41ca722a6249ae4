"""Where backbones of mmpretrain have their last map.

To add a backbone, add a line to :data:`LAYOUTS`.
"""

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from .layout import Layout, below
from .timm_layouts import timm_output


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


def _fusing_neck(m: nn.Module) -> Layout | None:
    """The map of HRNet's neck, whose last module pools; else the backbone has it."""
    fuses = m.with_neck and isinstance(m.neck, nn.Sequential) and len(m.neck) > 1
    return Layout(f'neck.{len(m.neck) - 2}') if fuses else None


# names of mmpretrain's or our classes or base classes -> the layout of the backbone
LAYOUTS = {
    ('ImageClassifier',): _fusing_neck,
    ('TIMMBackbone',): lambda m: below('timm_model', timm_output(m.timm_model)),
    # convolutional
    ('CFCNNet', 'EfficientNet', 'EfficientNetV2'): _own(lambda m: m.out_channels),
    ('CSPNet',): _own(lambda m: m.arch['out_channels'][-1]),
    ('DenseNet',): _own(lambda m: _width(m.transitions[-1][0])),
    # without a neck that fuses the scales, the coarsest scale
    ('HRNet',): _own(lambda m: m.extra['stage4']['num_channels'][-1]),
    ('InceptionV3',): lambda m: Layout('avgpool', 'input', channels=m.fc.in_features),
    # the last convolution reduces the map to one cell: its input is the map
    ('LeNet5',): lambda m: Layout('features.6', 'input', channels=16),
    ('MobileNetV2',): _own(lambda m: m.out_channel),
    ('MobileNetV3', 'ResNet'): _own(lambda m: m.feat_dim),
    ('MobileOne',): _own(lambda m: m.in_planes),
    ('RepLKNet',): _own(lambda m: m.arch['channels'][-1]),
    ('RepVGG',): _own(lambda m: m.stage_4[-1].out_channels),
    ('ShuffleNetV1',): _own(lambda m: m.in_channels),
    ('ShuffleNetV2',): _own(lambda m: m.layers[-1].conv.out_channels),
    ('VGG',): _vgg,
    ('ConvNeXt', 'EdgeNeXt', 'TinyViT'): _pooled_stage,
    ('HorNet',): _hornet,
    # graphs of patches, MLPs and transformers that return maps
    ('Vig',): _own(lambda m: m.pos_embed.shape[1]),
    ('PyramidVig', 'RepMLPNet'): _own(lambda m: m.channels[-1]),
    ('ConvMixer', 'HiViT'): _own(lambda m: m.embed_dims),
    ('LeViT', 'PCPVT', 'VAN'): _own(lambda m: m.embed_dims[-1]),
    ('DaViT', 'SwinTransformer'): _own(lambda m: m.num_features[-1]),
    ('PoolFormer', 'RIFormer', 'SwinTransformerV2'): _own(
        lambda m: _width(_last_norm(m))
    ),
    ('MViT',): _own(lambda m: _width(getattr(m, f'norm{max(m.out_scales)}'))),
    ('MobileViT',): _own(lambda m: m.conv_1x1_exp.conv.out_channels),
    # transformers that return tokens
    ('BEiTViT', 'VisionTransformer'): _vit,
    ('EfficientFormer',): lambda m: Layout(  # (B, F, L) after this norm
        f'norm{m.out_indices[-1]}', channels=_width(_last_norm(m))
    ),
    ('MixMIMTransformer',): lambda m: Layout('norm', channels=m.num_features),
    ('MlpMixer',): lambda m: Layout('ln1', channels=m.embed_dims),  # then (B, F, L)
    ('RevVisionTransformer',): lambda m: Layout(
        'fusion_layer',
        prefix_tokens=m.num_extra_tokens,
        channels=m.embed_dims * (2 if m.fusion_layer.mode == 'concat' else 1),
    ),
    ('T2T_ViT',): lambda m: Layout(
        'norm' if m.final_norm else f'encoder.{len(m.encoder) - 1}',
        prefix_tokens=m.num_extra_tokens,
        channels=m.pos_embed.shape[-1],
    ),
    ('TNT', 'XCiT'): lambda m: Layout('norm', channels=m.embed_dims, prefix_tokens=1),
    # two branches, each with a classifier: the map is that of the convolutions
    ('Conformer',): lambda m: Layout(f'conv_trans_{m.fin_stage - 1}', item=0),
}
