"""The contract between a guided model and the ways to guide it."""
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Seen:
    """What a guidance method sees of one training step.

    Attributes:
        inputs: (B, 3, H, W), preprocessed pictures.
        activation: The captured map, (B, F, h, w), with its graph; a tuple of maps
            if the feature hook has several targets.
        cls_score: (B, C) logits with their graph.
        mask: (B, K, H, W), uint8 {0, 1}, or float in [0, 1] after a batch augment.
            K is 1, or the most masks an image has.
        ignore: (B, H, W), bool or float in [0, 1].
        guided: (B,) bool, True where a person gave a mask.
        target: (B,) int64 labels, or (B, C) scores.
        mask_classes: (B, K) int64, each plane's class, -1 for none; None if masks are
            not per class.
        classify: The same network on other inputs: nothing is captured, statistics
            of BatchNorm stay untouched.
    """
    inputs: Tensor
    activation: Tensor | tuple[Tensor, ...]
    cls_score: Tensor
    mask: Tensor
    ignore: Tensor | None
    guided: Tensor
    target: Tensor
    mask_classes: Tensor | None = None
    classify: Callable[[Tensor], Tensor] | None = None

    @property
    def maps(self) -> tuple[Tensor, ...]:
        return (self.activation
                if isinstance(self.activation, tuple) else (self.activation, ))


class Guidance(nn.Module):
    """A way to use masks in training.

    Attributes:
        needs_input_grad: Whether ``seen.inputs`` must require a gradient.
    """
    needs_input_grad = False

    @abstractmethod
    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """The method's terms.

        Returns:
            Scalars: keys with "loss" are optimised, the others logged.
        """
