"""Filling in a head's input width, so that swapping a backbone is one line."""

import inspect

from mmpretrain.registry import MODELS
from torch import nn

from cfcn_plugin.features import Layout, UnknownBackbone, locate_below_head

# Necks that hand on as many channels as they get
KEEP_CHANNELS = ('GlobalAveragePooling', 'GeneralizedMeanPooling')


def resolve_head(head: dict, backbone: nn.Module, neck: dict | None) -> dict:
    """The head's config with ``in_channels`` filled in.

    Args:
        head: Config of a head.
        backbone: The built backbone.
        neck: Config of the neck, if any.

    Returns:
        A copy of ``head``; unchanged if the head takes no ``in_channels``.

    Raises:
        ValueError: The given width is wrong, or none is given and it is not known.
    """
    head_type = head.get('type')
    if isinstance(head_type, str):
        head_type = MODELS.get(head_type)
    if (
        head_type is None
        or 'in_channels' not in inspect.signature(head_type.__init__).parameters
    ):
        return dict(head)
    name, given = head_type.__name__, head.get('in_channels')
    try:
        layout = locate_below_head(backbone)
    except UnknownBackbone:
        layout = Layout('')
    width = layout.channels
    if neck is not None:
        _check_pooling(layout, backbone, neck)
        if neck.get('type') not in KEEP_CHANNELS:
            width = None
    if given is None and width is None:
        after = f' after {neck["type"]}' if neck else ''
        raise ValueError(
            f'{name} needs `in_channels`: the width of '
            f'{type(backbone).__name__}{after} is not known'
        )
    if None not in (given, width) and given != width:
        raise ValueError(
            f"{name} has in_channels={given}, but {type(backbone).__name__}'s map has "
            f'{width} channels: write {width}, or leave it out (in_channels=None)'
        )
    return dict(head, in_channels=given if width is None else width)


def _check_pooling(layout: Layout, backbone: nn.Module, neck: dict) -> None:
    """Stock pooling over tokens or channels-last maps runs, and is wrong."""
    makes_nchw = layout.module != 'timm_model' or hasattr(backbone, 'out_channels')
    if (
        neck.get('type') in KEEP_CHANNELS
        and not makes_nchw
        and (layout.channels_last or layout.prefix_tokens or layout.grid)
    ):
        raise ValueError(
            f'{neck["type"]} would pool the wrong axes: '
            f'{type(backbone.timm_model).__name__} gives tokens or channels-last maps. '
            "Use backbone=dict(type='GuidedTIMMBackbone', ...), same keys"
        )
