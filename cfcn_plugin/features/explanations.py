"""Explanations of a trained model: which pixels a class score comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cfcn_plugin.functional import attribution

from .feature_hook import FeatureHook
from .layout import Layout, patch_size
from .locate import attention_input, locate_below_head


class Explanation(NamedTuple):
    """The evidence for a class, and where it lies.

    Attributes:
        saliency: (B, h, w) float32, non-negative, unscaled.
        covers: Rows and columns of the image that the saliency map lies on, from the
            image's top left corner.
    """

    saliency: Tensor
    covers: tuple[int, int]


def grad_cam(
    model: nn.Module, images: Tensor, target: Tensor, layer: str = 'auto'
) -> Explanation:
    """Grad-CAM of a model, :func:`cfcn_plugin.functional.attribution.grad_cam`.

    The model's mode, gradients and hooks are afterwards as they were, also after an
    exception.

    Args:
        model: A classifier whose ``forward`` gives class scores.
        images: (B, 3, H, W), preprocessed.
        target: (B, C), how much each class's score counts: one-hot labels, usually.
        layer: Dotted name of the module whose output is the map. ``'auto'``: the
            backbone's last map, below any map of the head's own, so that the map is the
            same for all heads; where the map has class tokens, the input of the last
            attention.

    Raises:
        ValueError: No layout is known, or the model gives no class scores.
        RuntimeError: The class scores have no gradient in the layer.
    """
    layout, size = _explained_layout(model, layer), tuple(images.shape[-2:])
    with temporary_evaluation(model), _map_as_leaf(model, layout) as leaves:
        scores = _class_scores(model, images, target.shape)
        if not leaves or not scores.requires_grad:
            raise RuntimeError(
                f"no class score has a gradient at '{layout.module}': the module was "
                'not run, the scores do not depend on it, or it lies inside of '
                're-entrant activation checkpointing or a reversible block; name '
                'another layer'
            )
        (gradient,) = torch.autograd.grad((scores * target).sum(), leaves[-1:])
    activation, gradient = (
        layout.to_nchw(raw, size).float() for raw in (leaves[-1].detach(), gradient)
    )
    saliency = attribution.grad_cam(activation, gradient)
    return Explanation(saliency, layout.covers(tuple(saliency.shape[-2:]), size))


def input_x_gradient(model: nn.Module, images: Tensor, target: Tensor) -> Explanation:
    """:func:`cfcn_plugin.functional.attribution.input_x_gradient` of a model.

    Arguments, and what becomes of the model, are those of :func:`grad_cam`.

    Raises:
        ValueError: The model gives no class scores.
    """
    with temporary_evaluation(model):
        leaf = images.detach().clone().requires_grad_()
        scores = _class_scores(model, leaf, target.shape)
        (gradient,) = torch.autograd.grad((scores * target).sum(), leaf)
    saliency = attribution.input_x_gradient(leaf.detach(), gradient)
    height, width = images.shape[-2:]
    return Explanation(saliency, (height, width))


EXPLANATIONS = dict(grad_cam=grad_cam, input_x_gradient=input_x_gradient)


@contextmanager
def temporary_evaluation(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, full precision, no gradient of parameters; then as before."""
    modes = [(module, module.training) for module in model.modules()]
    required = [(p, p.requires_grad) for p in model.parameters()]
    device = required[0][0].device.type if required else 'cpu'
    try:
        model.eval().requires_grad_(False)
        with torch.enable_grad(), torch.autocast(device, enabled=False):
            yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, requires_grad in required:
            parameter.requires_grad_(requires_grad)


@contextmanager
def _map_as_leaf(model: nn.Module, layout: Layout) -> Iterator[list[Tensor]]:
    """Begin the graph at a map, and give a list that the map is appended to."""
    leaves: list[Tensor] = []

    def begin(raw: Any) -> Any:
        if isinstance(raw, list | tuple):
            items = list(raw)
            items[layout.item] = begin(items[layout.item])
            return type(raw)(items)
        if isinstance(raw, dict):
            key = list(raw)[layout.item]
            raw[key] = begin(raw[key])
            return raw
        leaves.append(raw.detach().clone().requires_grad_())
        return leaves[-1].clone()  # what follows may change the map in place

    module = model.get_submodule(layout.module)
    if layout.side == 'input':
        handle = module.register_forward_pre_hook(
            lambda _, args: (begin(args[0]), *args[1:])
        )
    else:
        handle = module.register_forward_hook(lambda _, args, output: begin(output))
    try:
        yield leaves
    finally:
        handle.remove()


def _explained_layout(model: nn.Module, layer: str) -> Layout:
    if layer == 'auto':
        layout = attention_input(model, locate_below_head(model))
        return replace(layout, patch=patch_size(model))
    hook = FeatureHook(layer).attach(model)
    hook.detach()
    return hook.layouts[0]


def _class_scores(model: nn.Module, images: Tensor, shape: torch.Size) -> Tensor:
    scores: Any = model(images)
    if isinstance(scores, tuple | list):  # Conformer's head scores twice
        scores = sum(scores)
    if scores.shape != shape:
        raise ValueError(
            f'{type(model).__name__} gives {tuple(scores.shape)} where class scores '
            f'{tuple(shape)} were expected: only a classifier has scores to explain'
        )
    return scores
