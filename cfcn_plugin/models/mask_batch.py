"""What the model gets of a batch's masks."""
from dataclasses import dataclass

from torch import Tensor

from cfcn_plugin.guidance import Part


@dataclass(frozen=True)
class MaskBatch:
    """A batch's masks on the model's device.

    Attributes:
        mask: (B, K, H, W), uint8 {0, 1}; (B, 1, H, W) float in [0, 1] after pictures
            were mixed.
        ignore: (B, H, W), bool, or float in [0, 1] after pictures were mixed.
        guided: (B,) bool.
        classes: (B, K) int64, -1 where a plane has none; None for one mask an image.
        emptied: Share of the batch that a crop made unguided, a CPU scalar.
        mask_error: Share whose mask could not be used, a CPU scalar; None where that
            ends the run.
        parts: What each picture was mixed from, with its own masks; () if it was not.
    """
    mask: Tensor
    ignore: Tensor
    guided: Tensor
    classes: Tensor | None
    emptied: Tensor
    mask_error: Tensor | None = None
    parts: tuple[Part, ...] = ()
