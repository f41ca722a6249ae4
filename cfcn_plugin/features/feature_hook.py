"""Taking a map out of the one forward pass that is made anyway."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from cfcn_plugin.stock import GOES

from .layout import Layout, UnknownBackbone, hookable, patch_size
from .locate import locate, locate_below_head


class Capture:
    """Keeps the last input or output of one module, inside ``with capture``.

    A capture has no reference to the module (state-dict keys would double). It
    registers a bound method, so a deep copy of the model gets its own capture. At the
    end of a block the capture is as it was before the block.

    Args:
        module: The hooked module.
        side: ``'output'``, or ``'input'`` for the module's first argument.
    """

    def __init__(self, module: nn.Module, side: str = 'output'):
        self.armed = False
        self.raw = None
        self._outer = []  # states at the start of the entered blocks
        if side == 'input':
            self.handle = module.register_forward_pre_hook(self._before)
        else:
            self.handle = module.register_forward_hook(self._after)

    def __enter__(self) -> 'Capture':
        self._outer.append((self.armed, self.raw))
        self.armed = True
        return self

    def __exit__(self, *error) -> None:
        self.armed, self.raw = self._outer.pop()

    def _before(self, module, args):
        if self.armed:
            self.raw = args[0]

    def _after(self, module, args, output):
        if self.armed:
            self.raw = output


class FeatureHook:
    """Captures feature maps of a model's own forward pass, with their graph::

        hook = FeatureHook().attach(model)
        with hook:
            model(inputs)
            activation = hook.take(inputs)

    Args:
        target: ``'auto'``: the map that the model's pooling receives. Or the dotted
            name of a module in the model, or a list of such names.
        channels_last: Whether 4-D maps of named modules are (B, h, w, F). None: as
            in this backbone's last map, and False for convolutions.
        prefix_tokens: Number of tokens before the grid in maps (B, L, F) of named
            modules. None: as in this backbone's last map.
    """
    stock = GOES

    def __init__(self,
                 target: str | Sequence[str] = 'auto',
                 channels_last: bool | None = None,
                 prefix_tokens: int | None = None):
        names = [target] if isinstance(target, str) else target
        if (not isinstance(names, Sequence) or not names
                or not all(isinstance(name, str) for name in names)):
            raise TypeError("`target` must be 'auto', a module's dotted name or a list "
                            f'of names, got {target!r}')
        self.names = list(names)
        self.several = not isinstance(target, str)
        options = dict(channels_last=channels_last, prefix_tokens=prefix_tokens)
        self.overrides = {k: v for k, v in options.items() if v is not None}
        self.layouts: list[Layout] = []
        self.captures: list[Capture] = []

    def attach(self, model: nn.Module) -> 'FeatureHook':
        """Register on the targets' modules.

        Raises:
            ValueError: A target does not exist, or no layout is known for
                ``'auto'``; the message lists what can be hooked.
        """
        self.detach()
        patch = patch_size(model)
        self.layouts = [
            replace(self._layout(model, name), patch=patch) for name in self.names]
        self.captures = [
            Capture(model.get_submodule(one.module), one.side) for one in self.layouts]
        return self

    def detach(self) -> None:
        """Take the hooks off the model."""
        for capture in self.captures:
            capture.handle.remove()
        self.captures = []

    def __enter__(self) -> 'FeatureHook':
        for capture in self.captures:
            capture.__enter__()
        return self

    def __exit__(self, *error) -> None:
        for capture in self.captures:
            capture.__exit__(*error)

    def captured(self) -> 'Captured':
        """What the targets gave in this block."""
        return Captured(self, tuple(capture.raw for capture in self.captures))

    def take(self, inputs: Tensor,
             trainable: bool = False) -> Tensor | tuple[Tensor, ...]:
        """The maps captured in this block: one for one target, a tuple for several.

        Arguments and errors are those of :meth:`Captured.maps`.
        """
        maps = self.captured().maps(inputs, trainable)
        return maps if self.several else maps[0]

    def _layout(self, model: nn.Module, name: str) -> Layout:
        if name == 'auto':
            try:
                return locate(model)
            except UnknownBackbone as error:  # names from the top are those to use
                raise UnknownBackbone(error.backbone, model) from None
        try:
            module = model.get_submodule(name)
        except AttributeError:
            raise ValueError(f"feature hook target '{name}' does not exist in "
                             f'{type(model).__name__}: {hookable(model)}') from None
        in_head = name.startswith('head.')  # whose map lies in memory as it likes
        try:
            last = (locate if in_head else locate_below_head)(model)
        except UnknownBackbone:
            last = Layout('')
        if isinstance(module, nn.Conv2d):
            last = replace(last, channels_last=False)
        return replace(
            replace(last, **self.overrides), module=name, side='output', channels=None)


@dataclass(frozen=True)
class Captured:
    """What the targets of a feature hook gave in one forward pass.

    Attributes:
        hook: The feature hook.
        raws: What each target's module gave, or received; None where it was not run.
    """
    hook: FeatureHook
    raws: tuple[Any, ...]

    def maps(self, inputs: Tensor, trainable: bool = False) -> tuple[Tensor, ...]:
        """The maps as (B, F, h, w), one for each target.

        Args:
            inputs: The model's input, (B, C, H, W).
            trainable: Whether maps must have a graph.

        Raises:
            RuntimeError: A target was not run, or its map has no graph.
            ValueError: A map is not in the images' proportions, and ``channels_last``
                was not given.
        """
        maps = []
        for name, layout, raw in zip(self.hook.names, self.hook.layouts, self.raws):
            maps.append(_map(layout, raw, inputs, trainable))
            known = name == 'auto' or 'channels_last' in self.hook.overrides
            if not known and not _is_of(maps[-1], inputs):
                raise ValueError(
                    f"feature hook target '{name}' gives maps of height and width "
                    f'{tuple(maps[-1].shape[-2:])} for images of '
                    f'{tuple(inputs.shape[-2:])}, which are not in proportion: say '
                    'where their channels lie with `channels_last` (it was taken for '
                    f'{layout.channels_last})')
        return tuple(maps)

    def covers(self, maps: tuple[Tensor, ...],
               inputs: Tensor) -> tuple[tuple[int, int], ...]:
        """Rows and columns of the image that each map lies on."""
        return tuple(
            layout.covers(tuple(one.shape[-2:]), tuple(inputs.shape[-2:]))
            for layout, one in zip(self.hook.layouts, maps))

    def gradients(self, inputs: Tensor) -> Callable[..., tuple[Tensor, ...]]:
        """A function that gives gradients in the maps.

        A map of :meth:`maps` can be a view that the model never used and no gradient
        reaches: the gradients are taken in the output of the module itself.

        Args:
            inputs: The model's input, (B, C, H, W).

        Returns:
            ``gradients(score, create_graph=False)``: of the sum of scores (B,), in
            each map, (B, F, h, w) each. The graph is kept. It raises a RuntimeError
            if a map has no part in the score.
        """
        layouts = self.hook.layouts
        raws = [layout.pick(raw) for layout, raw in zip(layouts, self.raws)]

        def gradients(score: Tensor, create_graph: bool = False) -> tuple[Tensor, ...]:
            found = [None] * len(raws)
            if all(raw.requires_grad for raw in raws):
                found = torch.autograd.grad(
                    score.sum(), raws, retain_graph=True, create_graph=create_graph,
                    allow_unused=True)
            for layout, gradient in zip(layouts, found):
                if gradient is None:
                    raise RuntimeError(
                        f"feature hook target '{layout.module}': the class score has "
                        'no gradient in its map. Name a target that is trained (not '
                        'frozen) and lies on the way to the score. torch.compile hides '
                        'gradients: a method of your own that asks for them needs '
                        '`differentiates = True`')
            return tuple(layout.to_nchw(gradient, inputs.shape[-2:])
                         for layout, gradient in zip(layouts, found))

        return gradients


def _map(layout: Layout, raw: Any, inputs: Tensor, trainable: bool) -> Tensor:
    where = f"feature hook target '{layout.module}'"
    if raw is None:
        raise RuntimeError(
            f'{where} was not run in this forward pass: name a module that is')
    activation = layout.to_nchw(raw, inputs.shape[-2:])
    if len(activation) != len(inputs):
        raise RuntimeError(
            f'{where} gives {len(activation)} maps for {len(inputs)} images: '
            'name a module that sees each image once')
    if trainable and torch.is_grad_enabled() and not activation.requires_grad:
        raise RuntimeError(
            f'{where} was captured without a graph although the backbone is '
            'trained, so guidance would do nothing: its stage is frozen, or it lies '
            'inside re-entrant activation checkpointing (`with_cp=True`). Name another '
            'target, or switch that off')
    return activation


def _is_of(maps: Tensor, inputs: Tensor) -> bool:
    """Whether maps have the images' proportions, up to two cells of padding."""
    (h, w), (height, width) = maps.shape[-2:], inputs.shape[-2:]
    return abs(h * width - w * height) <= 2 * max(height, width)


def last_stage_activation(model: nn.Module, inputs: Tensor) -> Tensor:
    """The map that a model's pooling receives, as (B, F, h, w).

    Runs one forward pass in the model's current mode. All hooks are removed, also
    after an exception.

    Args:
        model: A bare timm model, an mmpretrain backbone or a classifier.
        inputs: (B, C, H, W), preprocessed as the model expects.

    Returns:
        (B, F, h, w), with its graph if gradients are enabled. For a bare timm model
        the map is that of ``forward_features``, without prefix tokens; for a
        ``TIMMBackbone`` the backbone's own output, which can be a later map.

    Raises:
        ValueError: No layout is known for the model.
    """
    hook = FeatureHook()
    try:
        with hook.attach(model):
            model(inputs)
            return hook.take(inputs)
    finally:
        hook.detach()
