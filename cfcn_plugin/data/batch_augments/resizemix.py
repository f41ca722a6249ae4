"""ResizeMix (Qin et al., 2020) that takes masks along."""
import numpy as np
from torch import Tensor

from cfcn_plugin.guidance.mask_batch import MaskBatch

from .cutmix import paste_box


def resizemix(images: Tensor, scores: Tensor, masks: MaskBatch, alpha: float,
              lam_min: float = 0.1, lam_max: float = 0.8,
              interpolation: str = 'bilinear',
              cutmix_minmax: tuple[float, float] | None = None,
              correct_lam: bool = True) -> tuple[Tensor, Tensor, MaskBatch]:
    """Paste the whole of another image of the batch, made small, on each image.

    Images, scores and random numbers (numpy's and torch's global ones) are those of
    mmpretrain's ``ResizeMix``.

    Args:
        images: (B, C, H, W) floating point; changed in place.
        scores, masks, alpha, cutmix_minmax, correct_lam: As in
            :func:`.cutmix.cutmix`.
        lam_min, lam_max: Least and largest mixing ratio, in [0, 1].
        interpolation: Of ``torch.nn.functional.interpolate``, ``'bilinear'`` or
            ``'bicubic'``; of images and masks.

    Returns:
        The three, mixed; masks as :func:`.mixing.mix_labels` says.
    """
    ratio = np.random.beta(alpha, alpha) * (lam_max - lam_min) + lam_min
    return paste_box(
        images, scores, masks, ratio, cutmix_minmax, correct_lam, interpolation)
