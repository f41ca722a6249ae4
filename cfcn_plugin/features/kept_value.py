"""A value of a module as it was, whatever the network does to it in place."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge


@dataclass(frozen=True)
class KeptValue:
    """What a module gave, or received.

    An in-place ReLU, or ``x += ...``, behind the module changes the tensor that the
    module gave. The version of a tensor counts such changes.

    Attributes:
        raw: The tensor itself, or any other value.
        mode: Under which the value was made: (training, gradients are enabled).
        version: The tensor's version at that time; None where there is none.
        copy: The tensor's values at that time, in its graph; None without a copy.
        edge: The tensor's place in the graph at that time; None without a copy.
    """

    raw: Any
    mode: tuple[bool, bool]
    version: int | None = None
    copy: Tensor | None = None
    edge: GradientEdge | None = None

    @property
    def is_changed(self) -> bool:
        """Whether the tensor was changed in place since."""
        return self.version is not None and self.raw._version != self.version

    def value(self, where: str = 'the module') -> Any:
        """The value as it was.

        Args:
            where: Beginning of the message.

        Raises:
            RuntimeError: The tensor was changed, and there is no copy.
        """
        if not self.is_changed:
            return self.raw
        if self.copy is None:
            raise RuntimeError(
                f'{where}: the network has changed this map in place, and has not in '
                'an earlier pass of the same mode (training or evaluation), so that '
                'the map is lost: name a module behind that change, such as the one '
                'around it'
            )
        return self.copy

    def node(self) -> Tensor | GradientEdge:
        """What ``torch.autograd.grad`` takes for the gradient in the value."""
        return self.edge if self.is_changed else self.raw  # type: ignore[return-value]


def keep(raw: Any, mode: tuple[bool, bool], may_change: bool) -> KeptValue:
    """Keep a value; with ``may_change``, a copy as well."""
    if not isinstance(raw, Tensor):
        return KeptValue(raw, mode)
    if torch.compiler.is_compiling() or raw.is_inference():  # there is no version
        return KeptValue(raw.clone(), mode)
    if not may_change:
        return KeptValue(raw, mode, raw._version)
    edge = get_gradient_edge(raw) if raw.requires_grad else None
    return KeptValue(raw, mode, raw._version, raw.clone(), edge)
