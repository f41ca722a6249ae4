"""The masks of a batch: the one carrier after collation."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from cfcn_plugin.functional import crop_or_extend

from .one_memory import move


@dataclass(frozen=True)
class MixComponent:
    """One of the images that each image of a mixed batch was mixed from.

    Attributes:
        mask: (B, K, H, W) float in [0, 1], the image's masks as they lie in the
            mixture.
        target: (B, C) float, the scores of the image's labels.
        classes: (B, K) int64 as ``MaskBatch.classes``, or None.
        weight: (B,) float in [0, 1], the image's fraction of the mixed label; 0 for an
            unguided image.
    """

    mask: Tensor
    target: Tensor
    classes: Tensor | None
    weight: Tensor


@dataclass(frozen=True)
class MaskBatch:
    """The masks of a batch, on the model's device after :meth:`to`.

    Attributes:
        mask: (B, K, H, W), uint8 {0, 1}. K is 1, or the largest number of masks that an
            image has. (B, 1, H, W) float in [0, 1] after images were mixed: the
            fraction of the pixel that is causal, of whichever label.
        ignore: (B, H, W), bool, or float in [0, 1] after images were mixed. None:
            nothing is ignored.
        guided: (B,) bool, True where a person gave a mask.
        classes: (B, K) int64, each plane's class, -1 where a plane has none. None for
            one mask an image.
        cropped_out: Fraction of the batch that a crop made unguided, a CPU scalar.
            None: not counted.
        mask_error: Fraction of the batch whose mask could not be used, a CPU scalar.
            None where such a mask ends the run.
        components: What each image was mixed from (Mixup, CutMix ...), with the mask of
            each label; () if images are not mixed.
    """

    mask: Tensor
    ignore: Tensor | None
    guided: Tensor
    classes: Tensor | None = None
    cropped_out: Tensor | None = None
    mask_error: Tensor | None = None
    components: tuple[MixComponent, ...] = ()

    @property
    def weight(self) -> Tensor:
        """(B,) float in [0, 1]: the fraction of each image's label that is guided."""
        if not self.components:
            return self.guided.float()
        return sum(  # type: ignore[return-value]
            component.weight for component in self.components
        )

    @property
    def known(self) -> Tensor:
        """(B, H, W) float in [0, 1]: the fraction of a pixel that is not ignored."""
        if self.ignore is None:
            return torch.ones_like(self.mask[:, 0], dtype=torch.float32)
        return 1 - self.ignore.float()

    @property
    def causal(self) -> Tensor:
        """(B, H, W) float in [0, 1]: the fraction known to be causal, of any class."""
        return self.mask.amax(1).float() * self.known

    @property
    def context(self) -> Tensor:
        """(B, H, W) float in [0, 1]: the fraction known to be context."""
        return self.known - self.causal

    @property
    def objects(self) -> Tensor:
        """(B, H, W) bool: what is not known to be context, of any class."""
        return (self.mask > 0).any(1) | (self.known < 1)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> 'MaskBatch':
        """The masks on another device; what :func:`cfcn_plugin.collate` gives moves by
        one copy.

        Args:
            device: The device of images and model.
            non_blocking: As in ``Tensor.to``; of use if the memory is pinned.
        """
        return self._moved(lambda one: one.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> 'MaskBatch':
        """The masks in pinned memory, for ``DataLoader(pin_memory=True)``."""
        return self._moved(Tensor.pin_memory)

    def _moved(self, copy: Callable[[Tensor], Tensor]) -> 'MaskBatch':
        return replace(
            self,
            **_moved(self, MOVED, copy),
            components=tuple(
                replace(one, **_moved(one, [f.name for f in fields(one)], copy))
                for one in self.components
            ),
        )

    def of_component(self, component: MixComponent) -> 'MaskBatch':
        """The masks as if each image were this component alone."""
        return replace(
            self,
            mask=component.mask,
            classes=component.classes,
            guided=component.weight > 0,
            components=(),
        )

    def cropped(self, size: tuple[int, ...]) -> 'MaskBatch':
        """The masks of the ``size`` (rows, columns) of pixels from the top left corner.

        Beyond the image's edge the edge is repeated.
        """
        if size == tuple(self.mask.shape[-2:]):
            return self
        return replace(
            self,
            mask=crop_or_extend(self.mask, size),
            ignore=None if self.ignore is None else crop_or_extend(self.ignore, size),
            components=tuple(
                replace(c, mask=crop_or_extend(c.mask, size)) for c in self.components
            ),
        )


MOVED = ('mask', 'ignore', 'guided', 'classes')  # the others are CPU scalars


def _moved(owner, names, copy: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    return dict(zip(names, move([getattr(owner, name) for name in names], copy)))
