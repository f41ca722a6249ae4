"""The masks of samples, stacked to the masks of a batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.guidance.one_memory import allocate


def stack_masks(samples: Sequence[Any], size: tuple[int, int]) -> MaskBatch:
    """The samples' masks in one memory, padded with context to ``size``.

    Args:
        samples: Mappings with ``guided`` (bool); guided ones with ``activation_mask``,
            uint8 {0, 1}, (H, W) or (K, H, W), and perhaps ``mask_classes``, int64 (K,),
            and ``ignore_mask``, uint8 (H, W). Counted if there: ``cropped_out`` and
            ``mask_error`` (bool).
        size: (H, W) of the batch's images, at least that of each mask.

    Returns:
        The masks, on the CPU. An unguided image has no causal pixel, and all of its
        pixels are ignored; so has a guided one whose pixels are all ignored.
    """
    planes = {
        i: torch.as_tensor(s.get('activation_mask')).reshape(
            -1, *s.get('activation_mask').shape[-2:]
        )
        for i, s in enumerate(samples)
        if s.get('guided')
    }
    count, most = len(samples), max(map(len, planes.values()), default=1)
    # without guided images nothing says that there is one mask an image
    per_class = not planes or any('mask_classes' in samples[i] for i in planes)
    classes, mask, ignore, guided = allocate(
        ((count, most if per_class else 0), torch.int64),
        ((count, most, *size), torch.uint8),
        ((count, *size), torch.bool),
        ((count,), torch.bool),
    )
    classes.fill_(-1)
    ignore.fill_(True)
    for i, plane in planes.items():
        _fill(mask[i], ignore[i], classes[i], plane, samples[i])
        guided[i] = not ignore[i].all()
    errors = [bool(s.get('mask_error')) for s in samples if 'mask_error' in s]
    return MaskBatch(
        mask,
        ignore,
        guided,
        classes if per_class else None,
        cropped_out=_fraction([bool(s.get('cropped_out')) for s in samples], count),
        mask_error=_fraction(errors, count) if errors else None,
    )


def _fill(
    mask: Tensor, ignore: Tensor, classes: Tensor, planes: Tensor, sample: Any
) -> None:
    """Write a guided sample's planes, (K, h, w), into its part of the batch."""
    count, height, width = planes.shape
    mask[:count, :height, :width] = planes
    ignore.fill_(False)
    if 'ignore_mask' in sample:
        ignored = torch.as_tensor(sample.get('ignore_mask')).bool()
        ignore[:height, :width] = ignored
        mask[:, :height, :width].masked_fill_(ignored, 0)
    if 'mask_classes' in sample:
        classes[:count] = torch.as_tensor(np.asarray(sample.get('mask_classes')))


def _fraction(true: list[bool], count: int) -> Tensor:
    return torch.tensor(sum(true) / count)
