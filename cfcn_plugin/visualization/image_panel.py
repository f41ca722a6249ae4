"""An image with its mask, and the same image under other conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cfcn_plugin.functional.compositing import swap_background, without_object

from .overlay import screen_pixels

BRIGHTNESS = (0.5, 1.5)  # factors


@dataclass(frozen=True)
class ImagePanel:
    """An input image of the model, before normalisation.

    Attributes:
        image: (C, H, W) of any type, RGB first if it has three channels or more.
        mask: (H, W) {0, 1}, the union of all classes; None without a mask.
        labels: The true classes; empty if unknown.
        name: Name of the file or of the condition.
    """

    image: Tensor
    mask: np.ndarray | None
    labels: frozenset[int]
    name: str

    @property
    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8, RGB, as :func:`.overlay.screen_pixels` shows the image."""
        return screen_pixels(self.image.permute(1, 2, 0).numpy())


def vary_conditions(
    panel: ImagePanel, others: Sequence[ImagePanel]
) -> list[ImagePanel]:
    """An image unchanged, darker, brighter, on other backgrounds, without its object.

    The paper's figures 9 and 15.

    Args:
        panel: An image with a mask.
        others: Images with masks, of the same size, for the backgrounds.

    Returns:
        Images with the name of their condition, without labels.
    """
    image, inside = panel.image[None].float(), _object_mask(panel)
    varied = {'as it is': image}
    for factor in BRIGHTNESS:
        varied[f'brightness × {factor:g}'] = image * factor
    for other in others:
        varied[f'background of {other.name}'] = swap_background(
            image, inside, other.image[None].float(), _object_mask(other)
        )
    varied['object removed'] = without_object(image, inside)
    return [
        ImagePanel(
            _as_type(changed[0], panel.image.dtype),
            None if name == 'object removed' else panel.mask,
            frozenset(),
            name,
        )
        for name, changed in varied.items()
    ]


def _as_type(image: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype.is_floating_point:
        return image.to(dtype)
    limits = torch.iinfo(dtype)
    return image.round().clamp(limits.min, limits.max).to(dtype)


def _object_mask(panel: ImagePanel) -> Tensor:
    return torch.as_tensor(panel.mask > 0)[None]
