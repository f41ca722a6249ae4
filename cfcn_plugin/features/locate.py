"""The layout of the map that a model's pooling receives, whatever the model is."""

import re
from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from . import mmpretrain_layouts, torchvision_layouts, transformers_layouts
from .layout import Layout, UnknownBackbone, below, get_part, hookable
from .timm_layouts import find_site, is_timm, timm_layout

# (package, name of a class) -> the layout; the packages are not imported
LAYOUTS = {
    (package, name): layout
    for packages, table in (
        (('mmpretrain', 'cfcn_plugin'), mmpretrain_layouts.LAYOUTS),
        (('torchvision',), torchvision_layouts.LAYOUTS),
        (('transformers',), transformers_layouts.LAYOUTS),
    )
    for package in packages
    for names, layout in table.items()
    for name in names
}
# Children that are the model itself, beside which there may be others (a teacher)
INNER = ('backbone', 'image_encoder', 'model')
# The norm before a block's attention, in all packages
BLOCK_NORM = re.compile(
    r'\.(encoder_layer_)?\d+\.(norm1|ln1|ln_1|layernorm_before|layer_norm_?1)$'
)


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
            f"the map of '{layout.module}' has class tokens, and no block has a norm "
            'of a known name (norm1, ln1) before the attention that they read it by: '
            f'name the module to explain (`layer`); {hookable(model)}'
        )
    return replace(layout, module=norms[-1], side='output', item=-1)


def locate(model: nn.Module) -> Layout:
    """The layout of the map that a model's pooling receives, for any kind of model.

    Args:
        model: A model of timm, torchvision, transformers or mmpretrain, a backbone, or
            a module that holds one of them: a classifier, a wrapper, a compiled model.
            A ``head`` with its own maps names the module of these maps in
            ``activation_target``.

    Raises:
        UnknownBackbone: The model is not known, and not exactly one known model is
            inside of it; the message lists the modules that can be hooked.
    """
    return _only_place(model, in_head=True)


def locate_below_head(model: nn.Module) -> Layout:
    """As :func:`locate`, but never a map of the head."""
    return _only_place(model, in_head=False)


def _only_place(model: nn.Module, in_head: bool) -> Layout:
    places = list(_places(model, '', in_head))
    if len(places) != 1:
        unknown = model
        while not places and (inner := _inner(unknown)):
            unknown = getattr(unknown, inner)
        raise UnknownBackbone(model, unknown, [name.strip('.') for name, _ in places])
    return below(*places[0])


def _places(model: nn.Module, name: str, in_head: bool) -> Iterator[tuple[str, Layout]]:
    """Names of the outermost known models, and the layout of each."""
    layout = _layout(model, in_head)
    if layout is not None:
        yield name, layout
        return
    if is_timm(model):  # it may have another inside: a hybrid
        return
    inner = _inner(model)
    for part, module in model.named_children():
        if inner in (None, part):
            yield from _places(module, f'{name}.{part}', in_head)


def _inner(model: nn.Module) -> str | None:
    children = dict(model.named_children())
    return next((name for name in INNER if name in children), None)


def _layout(model: nn.Module, in_head: bool) -> Layout | None:
    target = get_part(model, 'head.activation_target')
    if in_head and target:
        return Layout(f'head.{target}')
    if is_timm(model):  # the map of its forward_features
        site = find_site(model)
        return site and timm_layout(model, site, model.num_features)
    for base in type(model).__mro__:
        known = LAYOUTS.get((base.__module__.partition('.')[0], base.__name__))
        if known is not None:
            return known(model)
    return None
