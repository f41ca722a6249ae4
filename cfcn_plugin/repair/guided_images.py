"""The guided images of batches, and these images on each other's backgrounds."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from cfcn_plugin.functional.compositing import (
    bounding_box,
    has_object_and_context,
    swap_background,
)

from .batches import as_batch


class GuidedImages(NamedTuple):
    """The N images of a batch that have an object and a background.

    Attributes:
        images: (N, C, H, W).
        objects: (N, H, W) bool.
        holes: (N, H, W) bool, the box around each object.
        targets: (N,) int64, or (N, classes) for several labels, on the CPU.
        covered: Number of images of the batch that have a mask and no background.
    """

    images: Tensor
    objects: Tensor
    holes: Tensor
    targets: Tensor
    covered: int

    def swapped(self, which: Tensor, others: Tensor, border: float) -> Tensor:
        """The objects of the images ``which`` on the backgrounds of ``others``.

        The other object is removed with the box around it, since an outline may lack a
        part of the object.

        Args:
            which, others: (M,) int64.
            border: Standard deviation of the object's blurred edge, pixels.

        Returns:
            (M, C, H, W), in the images' dtype.
        """
        which, others = (one.to(self.images.device) for one in (which, others))
        images = self.images.float()
        with torch.autocast(images.device.type, enabled=False):
            return swap_background(
                images[which],
                self.objects[which],
                images[others],
                self.holes[others],
                border,
            ).to(self.images.dtype)


def guided_images(batches: Iterable, device: torch.device) -> Iterator[GuidedImages]:
    """The guided images of each batch, on ``device``.

    Args:
        batches: Of (images (B, C, H, W), targets, masks (B, H, W)), on any device. An
            image whose mask is all 0 is unguided; one whose mask is all 1 has no
            background.

    Raises:
        TypeError, ValueError: See :func:`as_batch`.
    """
    for images, targets, objects in map(as_batch, batches):
        guided = objects.any((1, 2))
        usable = has_object_and_context(objects)
        covered = int((guided & ~usable).sum())
        objects = objects[usable].to(device)
        yield GuidedImages(
            images[usable].to(device),
            objects,
            bounding_box(objects),
            targets[usable.to(targets.device)].cpu(),
            covered,
        )
