"""What a module received or gave in a forward pass, and the maps in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .kept_value import KeptValue, keep
from .layout import Layout, in_proportion

if TYPE_CHECKING:
    from .feature_hook import FeatureHook


class Capture:
    """Keeps the last input or output of one module, inside ``with capture``.

    A capture has no reference to the module (state-dict keys would double). It
    registers a bound method, so a deep copy of the model gets its own capture. At the
    end of a block the capture is as it was before the block.

    Args:
        module: The hooked module.
        side: ``'output'``, or ``'input'`` for the module's first argument.
        pick: From the module's value to what is kept; None: the value itself.
        settled: Whether to keep what the network makes of the value in place.
    """

    def __init__(
        self,
        module: nn.Module,
        side: str = 'output',
        pick: Callable[[Any], Any] | None = None,
        settled: bool = False,
    ):
        self.armed = False
        self.kept: KeptValue | None = None
        self.pick = pick
        self.settled = settled
        self._outer = []  # states at the start of the entered blocks
        self._changed = {}  # whether the network changes the value, by mode
        if side == 'input':
            self.handle = module.register_forward_pre_hook(self._before)
        else:
            self.handle = module.register_forward_hook(self._after)

    @property
    def raw(self) -> Any:
        """What the module gave, or received, as the network has it now, or None."""
        return None if self.kept is None else self.kept.raw

    def __enter__(self) -> 'Capture':
        self._outer.append((self.armed, self.kept))
        self.armed = True
        return self

    def __exit__(self, *error) -> None:
        self.armed, self.kept = self._outer.pop()

    def take(self) -> KeptValue | None:
        """What was kept in this block; None if the module was not run."""
        kept = self.kept
        if kept is not None and kept.version is not None:
            before = self._changed.get(kept.mode, False)
            self._changed[kept.mode] = before or kept.is_changed
        return kept

    def _before(self, module, args):
        if self.armed:
            self._keep(args[0], module.training)

    def _after(self, module, args, output):
        if self.armed:
            self._keep(output, module.training)

    def _keep(self, raw: Any, training: bool) -> None:
        mode = (training, torch.is_grad_enabled())
        value = raw if self.pick is None else self.pick(raw)
        if self.settled:
            self.kept = KeptValue(value, mode)
        else:  # a copy in the first pass, which tells whether later passes need one
            self.kept = keep(value, mode, self._changed.get(mode) is not False)


@dataclass(frozen=True)
class Captured:
    """What the targets of a feature hook gave in one forward pass.

    Attributes:
        hook: The feature hook.
        kept: What each target's module gave, or received; None where it was not run.
    """

    hook: 'FeatureHook'
    kept: tuple[KeptValue | None, ...]

    def maps(self, inputs: Tensor, trainable: bool = False) -> tuple[Tensor, ...]:
        """The maps as (B, F, h, w), one for each target.

        Args:
            inputs: The model's input, (B, C, H, W).
            trainable: Whether maps must have a graph.

        Raises:
            RuntimeError: A target was not run, its map has no graph, or the network
                changed the map in place in this pass and not in an earlier one.
            ValueError: A map is not in the images' proportions, and ``channels_last``
                was not given.
        """
        maps = []
        for name, layout, kept in zip(self.hook.names, self.hook.layouts, self.kept):
            maps.append(_map(layout, kept, inputs, trainable))
            known = name == 'auto' or 'channels_last' in self.hook.overrides
            if not known and not in_proportion(maps[-1], inputs.shape[-2:]):
                raise ValueError(
                    f"feature hook target '{name}' gives maps of height and width "
                    f'{tuple(maps[-1].shape[-2:])} for images of '
                    f'{tuple(inputs.shape[-2:])}, which are not in proportion: say '
                    'where their channels lie with `channels_last` (it was taken for '
                    f'{layout.channels_last})'
                )
        return tuple(maps)

    def covers(
        self, maps: tuple[Tensor, ...], inputs: Tensor
    ) -> tuple[tuple[int, int], ...]:
        """Rows and columns of the image that each map lies on."""
        return tuple(
            layout.covers(tuple(one.shape[-2:]), tuple(inputs.shape[-2:]))
            for layout, one in zip(self.hook.layouts, maps)
        )

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
        values = [kept.value() for kept in self.kept]

        def gradients(score: Tensor, create_graph: bool = False) -> tuple[Tensor, ...]:
            found: Any = [None] * len(values)
            if all(value.requires_grad for value in values):
                nodes = [kept.node() for kept in self.kept]
                found = torch.autograd.grad(
                    score.sum(),
                    nodes,
                    retain_graph=True,
                    create_graph=create_graph,
                    allow_unused=True,
                )
            for layout, gradient in zip(layouts, found):
                if gradient is None:
                    raise RuntimeError(
                        f"feature hook target '{layout.module}': the class score has "
                        'no gradient in its map. Name a target that is trained (not '
                        'frozen) and lies on the way to the score. torch.compile hides '
                        'gradients: a method of your own that asks for them needs '
                        '`differentiates = True`'
                    )
            return tuple(
                layout.to_nchw(gradient, inputs.shape[-2:])
                for layout, gradient in zip(layouts, found)
            )

        return gradients


def _map(
    layout: Layout, kept: KeptValue | None, inputs: Tensor, trainable: bool
) -> Tensor:
    where = f"feature hook target '{layout.module}'"
    if kept is None:
        raise RuntimeError(
            f'{where} was not run in this forward pass: name a module that is. If the '
            'model was compiled and run before the hook was attached, call '
            'torch.compiler.reset() after attaching'
        )
    activation = layout.to_nchw(kept.value(where), inputs.shape[-2:])
    if len(activation) != len(inputs):
        raise RuntimeError(
            f'{where} gives {len(activation)} maps for {len(inputs)} images: '
            'name a module that sees each image once'
        )
    if trainable and torch.is_grad_enabled() and not activation.requires_grad:
        raise RuntimeError(
            f'{where} was captured without a graph although the backbone is '
            'trained, so guidance would do nothing: its stage is frozen, or it lies '
            'inside re-entrant activation checkpointing (`with_cp=True`). Name another '
            'target, or switch that off'
        )
    return activation
