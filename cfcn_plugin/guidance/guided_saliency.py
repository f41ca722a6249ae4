"""The saliency map that guidance trains, for metrics and images."""

import torch
from torch import Tensor

from cfcn_plugin.functional.localization import reduce_channels

from .guidance_batch import GuidanceBatch
from .mask_batch import MaskBatch


def guided_saliency(
    step: GuidanceBatch, maps_are_classes: bool = False
) -> tuple[Tensor, MaskBatch]:
    """The last captured map as one saliency map an image, and its masks.

    Args:
        step: Of ``guide.batch(images, logits, target, masks)``.
        maps_are_classes: Whether the map has a channel for each class. Then the
            saliency map is the true class's; else it is the mean over channels.

    Returns:
        (B, h, w) float32, non-negative, without a graph; and the masks of the part of
        the image that the map lies on.

    Raises:
        ValueError: The map has NaN or infinite values.
    """
    last = step.each_map()[-1]
    activation = last.maps[0].detach().float()
    check_finite(activation, 'the captured map')
    target = last.target if maps_are_classes else None
    return reduce_channels(activation, target), last.masks


def check_finite(
    maps: torch.Tensor, what: str, images: torch.Tensor | None = None
) -> None:
    """Raise a ValueError if maps (B, ...) have NaN or infinite values.

    Args:
        maps: Of the images.
        what: What the maps are, for the message.
        images: (B,) numbers of the images in their batch. None: 0 to B - 1.
    """
    bad = (~maps.isfinite()).flatten(1).any(1)
    if bad.any():
        numbers = bad.nonzero().flatten() if images is None else images[bad]
        raise ValueError(
            f'{what} has NaN or infinite values, in images {numbers.tolist()} of the '
            'batch: the weights have diverged (a lower learning rate or loss_weight), '
            'or half precision overflows'
        )
