"""The layout of the map that a model's pooling receives, whatever the model is."""
import re
from dataclasses import replace

from torch import nn

from .layout import Layout, UnknownBackbone, below, hookable
from .mmpretrain_layouts import LAYOUTS
from .timm_layouts import find_site, is_timm, timm_layout, timm_output

MMPRETRAIN = {name: layout for names, layout in LAYOUTS.items() for name in names}
PACKAGES = ('mmpretrain', 'cfcn_plugin')  # torchvision and others have a ResNet, too
# The norm before a block's attention, in timm and in mmpretrain
BLOCK_NORM = re.compile(r'\.\d+\.(norm1|ln1)$')


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
    if is_timm(backbone):  # the map of its forward_features
        site = find_site(backbone)
        if site is None:
            raise UnknownBackbone(backbone)
        return timm_layout(backbone, site, backbone.num_features)
    if is_timm(getattr(backbone, 'timm_model', None)):  # TIMMBackbone and ours
        return below('timm_model', timm_output(backbone.timm_model))
    known = [base for base in type(backbone).__mro__
             if base.__module__.partition('.')[0] in PACKAGES]
    for base in known:
        if base.__name__ == 'LoRAModel':
            return below('module', backbone_layout(backbone.module))
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
        return below('0', locate(model[0]))
    neck = getattr(model, 'neck', None)
    if isinstance(neck, nn.Sequential) and len(neck) > 1:  # HRNet's: the last pools
        return Layout(f'neck.{len(neck) - 2}')
    for inner in ('backbone', 'image_encoder', 'model'):
        if isinstance(getattr(model, inner, None), nn.Module):
            return below(inner, locate(getattr(model, inner)))
    return backbone_layout(model)
