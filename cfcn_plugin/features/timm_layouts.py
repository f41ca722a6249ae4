"""Where models of timm have their last map.

To add a family, add a line to :data:`TIMM_SITES`.
"""

from typing import NamedTuple

from torch import nn

from .layout import Layout, get_part


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
    if any(get_part(model, name) is not None for name in POOLED_OUTPUTS):
        raise ValueError(
            f'{type(model).__name__} without its classifier gives class tokens and no '
            "map to pool: guide the whole of it, model=dict(type='GuidedTimmClassifier'"
            ', model_name=...)'
        )
    channels = getattr(model, 'head_hidden_size', None)
    here = Site('', 'output')
    tokens = (find_site(model) or here).prefix_tokens
    return timm_layout(
        model,
        here._replace(prefix_tokens=tokens),
        channels or getattr(model, 'num_features', None),
    )


def find_site(model: nn.Module) -> Site | None:
    """The first site of the table that this model has, or None."""
    return next(
        (
            site
            for site in TIMM_SITES
            if isinstance(get_part(model, site.needs), nn.Module)
        ),
        None,
    )


def is_timm(module: nn.Module | None) -> bool:
    """Whether it is a model of timm, or of a subclass, and not a part of a model."""
    return hasattr(module, 'forward_features') and any(
        base.__module__.startswith('timm.models') for base in type(module).__mro__
    )


def timm_layout(model: nn.Module, site: Site, channels: int | None) -> Layout:
    """The layout at a site; ``channels`` unless the site names the layer for it."""
    if site.channels is not None:
        channels = len(model.get_submodule(site.channels).weight)
    prefix_tokens = site.prefix_tokens
    if prefix_tokens is None:
        prefix_tokens = getattr(model, 'num_prefix_tokens', 0)
    return Layout(
        site.needs if site.module is None else site.module,
        site.side,
        site.item,
        str(getattr(model, 'output_fmt', 'NCHW')).endswith('NHWC'),
        prefix_tokens,
        channels,
        get_part(model, 'patch_embed.dynamic_feat_size'),
    )
