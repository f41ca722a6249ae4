"""Explanations that nobody trained on: where a class score comes from, afterwards."""
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cfcn_plugin.features import (
    FeatureHook,
    Layout,
    attention_input,
    locate_below_head,
    patch_size,
)

INSTALL = "`pip install 'cfcn_plugin[explain]'`"


class Explanation(NamedTuple):
    """What speaks for a class, and where.

    Attributes:
        saliency: (B, h, w) float32, non-negative, unscaled.
        covers: Rows and columns of the image that it lies on, from its top left
            corner.
    """
    saliency: Tensor
    covers: tuple[int, int]


def grad_cam(model: nn.Module,
             inputs: Tensor,
             target: Tensor,
             layer: str = 'auto') -> Explanation:
    """Grad-CAM (Selvaraju et al. 2017), by the library ``grad-cam``::

        relu(sum_f mean_jk(d score / d A_f,jk) * A_f)

    Unlike the library's, the map is not stretched to [0, 1]: subtracting each map's
    least value would change the share that lies inside a mask. The model's mode,
    gradients and hooks are afterwards as they were, also after an exception.

    Args:
        model: A classifier whose ``forward`` gives class scores.
        inputs: (B, 3, H, W), preprocessed.
        target: (B, C), how much each class's score counts: one-hot labels, usually.
        layer: Dotted name of the module whose output is A. ``'auto'``: the backbone's
            last map, below any map of the head's own, so that it is the same for all
            heads; where it has class tokens, the input of the last attention.

    Raises:
        ImportError: The library is missing.
        ValueError: No layout is known, or the model gives no class scores.
        RuntimeError: The layer has no gradient.
    """
    try:
        from .unscaled_grad_cam import UnscaledGradCAM
    except ImportError as error:
        raise _missing('grad-cam', error) from error
    layout = _explained_layout(model, layer)
    image = tuple(inputs.shape[-2:])
    routed = RoutedClassifier(model, layout, target.shape)
    with undisturbed(model):
        cam = UnscaledGradCAM(
            routed, [routed.probe],
            # a copy: what follows may change the map in place
            reshape_transform=lambda raw: layout.to_nchw(raw, image).float().clone())
        try:
            saliency = cam(inputs, [_Weighted(row) for row in target])
        finally:
            cam.activations_and_grads.release()
    saliency = torch.from_numpy(saliency).to(inputs.device)
    return Explanation(saliency, layout.covers(tuple(saliency.shape[-2:]), image))


def input_x_gradient(model: nn.Module, inputs: Tensor, target: Tensor) -> Explanation:
    """Input times gradient (Shrikumar et al. 2016), by the library ``captum``::

        relu(sum_c x_c * d score / d x_c)

    with x the preprocessed image and c its colours. The rest is as in
    :func:`grad_cam`; no layer is chosen.

    Args:
        model, inputs, target: As in :func:`grad_cam`.

    Raises:
        ImportError: The library is missing.
        ValueError: The model gives no class scores.
    """
    try:
        from captum.attr import InputXGradient
    except ImportError as error:
        raise _missing('captum', error) from error

    def score(images):
        return (_class_scores(model, images, target.shape) * target).sum(1)

    with undisturbed(model):
        # the library would warn about, and set, inputs without gradients
        leaf = inputs.detach().clone().requires_grad_()
        product = InputXGradient(score).attribute(leaf)
    saliency = product.detach().sum(1).relu().float()
    return Explanation(saliency, tuple(inputs.shape[-2:]))


EXPLANATIONS = dict(grad_cam=grad_cam, input_x_gradient=input_x_gradient)


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, full precision and gradients, but none of parameters; then all
    as it was."""
    modes = [(module, module.training) for module in model.modules()]
    parameters = [(p, p.requires_grad, p.grad) for p in model.parameters()]
    device = parameters[0][0].device.type if parameters else 'cpu'
    try:
        model.eval()
        for parameter, *_ in parameters:
            parameter.requires_grad_(False)
            parameter.grad = None
        with torch.enable_grad(), torch.autocast(device, enabled=False):
            yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, requires_grad, grad in parameters:
            parameter.requires_grad_(requires_grad)
            parameter.grad = grad


class RoutedClassifier(nn.Module):
    """A classifier whose map goes through a module of its own, :attr:`probe`.

    Libraries listen to outputs of modules; a map may be a module's input, or one of
    several values. The graph begins at the map.

    Args:
        model: The classifier.
        layout: Where the map is.
        shape: (B, C) of the class scores.
    """

    def __init__(self, model: nn.Module, layout: Layout, shape: tuple[int, int]):
        super().__init__()
        self.model = model
        self.layout = layout
        self.shape = shape
        self.probe = _Probe()

    def forward(self, inputs: Tensor) -> Tensor:
        module = self.model.get_submodule(self.layout.module)
        if self.layout.side == 'input':
            handle = module.register_forward_pre_hook(
                lambda _, args: (self._through(args[0]), *args[1:]))
        else:
            handle = module.register_forward_hook(
                lambda _, args, output: self._through(output))
        try:
            scores = _class_scores(self.model, inputs, self.shape)
        finally:
            handle.remove()
        if not scores.requires_grad:
            raise RuntimeError(
                f"no class score has a gradient at '{self.layout.module}': it was not "
                'run, scores do not depend on it, or it lies inside of re-entrant '
                'activation checkpointing or a reversible block; name another layer')
        return scores

    def _through(self, raw):
        if isinstance(raw, list | tuple):
            items = list(raw)
            items[self.layout.item] = self._through(items[self.layout.item])
            return type(raw)(items)
        return self.probe(raw)


class _Probe(nn.Module):

    def forward(self, raw: Tensor) -> Tensor:
        # not a leaf itself: what follows may change it in place
        return raw.detach().requires_grad_().clone()


class _Weighted:
    """What the library calls a target: one number of an image's scores."""

    def __init__(self, weights: Tensor):
        self.weights = weights

    def __call__(self, scores: Tensor) -> Tensor:
        return (scores * self.weights).sum()


def _explained_layout(model: nn.Module, layer: str) -> Layout:
    if layer == 'auto':
        layout = attention_input(model, locate_below_head(model))
        return replace(layout, patch=patch_size(model))
    hook = FeatureHook(layer)
    try:
        return hook.attach(model).layouts[0]
    finally:
        hook.detach()


def _class_scores(model: nn.Module, inputs: Tensor, shape: tuple[int, int]) -> Tensor:
    scores = model(inputs)
    if isinstance(scores, tuple | list):  # Conformer's head scores twice
        scores = sum(scores)
    if scores.shape != shape:
        raise ValueError(
            f'{type(model).__name__} gives {tuple(scores.shape)} where class scores '
            f'{tuple(shape)} were expected: only a classifier has scores to explain')
    return scores


def _missing(library: str, error: ImportError) -> ImportError:
    return ImportError(
        f'this explanation is made by the library {library}: {INSTALL} ({error})')
