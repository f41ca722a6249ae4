"""Mixup (Zhang et al., 2018) that takes masks along."""
import numpy as np
import torch
from torch import Tensor

from cfcn_plugin.guidance.mask_batch import MaskBatch

from .mixing import mix_labels


def mixup(images: Tensor, scores: Tensor, masks: MaskBatch,
          alpha: float) -> tuple[Tensor, Tensor, MaskBatch]:
    """Blend each image with another one of the batch.

    Images, scores and random numbers (numpy's and torch's global ones) are those of
    mmpretrain's ``Mixup``.

    Args:
        images: (B, C, H, W) floating point.
        scores: (B, K), one-hot or soft.
        masks: Of the images.
        alpha: Of the Beta distribution of the mixing ratio, > 0.

    Returns:
        The three, mixed; masks as :func:`.mixing.mix_labels` says.
    """
    own = np.random.beta(alpha, alpha)
    other = torch.randperm(len(images))
    mixed = own * images + (1 - own) * images[other, :]
    return mixed, *mix_labels(scores.float(), masks, other, own, own)
