"""The masks of a batch: the one carrier after collation."""
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class MixComponent:
    """Of a batch of mixed images, one of the images that each was mixed from.

    Attributes:
        mask: (B, K, H, W) float in [0, 1], its masks as they lie in the mixture.
        target: (B, C) float, its labels' scores.
        classes: (B, K) int64 as ``MaskBatch.classes``, or None.
        weight: (B,) float in [0, 1], its share of the mixed label; 0 if unguided.
    """
    mask: Tensor
    target: Tensor
    classes: Tensor | None
    weight: Tensor


@dataclass(frozen=True)
class MaskBatch:
    """A batch's masks on the model's device.

    Attributes:
        mask: (B, K, H, W), uint8 {0, 1}; (B, 1, H, W) float in [0, 1] after images
            were mixed.
        ignore: (B, H, W), bool, or float in [0, 1] after images were mixed.
        guided: (B,) bool.
        classes: (B, K) int64, -1 where a plane has none; None for one mask an image.
        cropped_out: Share of the batch that a crop made unguided, a CPU scalar.
        mask_error: Share whose mask could not be used, a CPU scalar; None where that
            ends the run.
        components: What each image was mixed from, with its own masks; () if it was not.
    """
    mask: Tensor
    ignore: Tensor
    guided: Tensor
    classes: Tensor | None
    cropped_out: Tensor
    mask_error: Tensor | None = None
    components: tuple[MixComponent, ...] = ()
