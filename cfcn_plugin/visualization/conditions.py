"""The same object under other conditions: on other backgrounds, in other light."""
from collections.abc import Sequence
from dataclasses import replace

import torch

from cfcn_plugin.functional.compositing import swap_background, without_object
from cfcn_plugin.mm.visualization.gallery import Shown

LIGHT = (0.5, 1.5)  # factors of brightness


def conditions(one: Shown, others: Sequence[Shown]) -> dict[str, Shown]:
    """An image as it is, darker, brighter, on others' backgrounds, and without object.

    The paper's figures 9 and 15.

    Args:
        one: With a mask.
        others: With masks, of its size, whose context is taken.
    """
    made = {'as it is': one}
    for factor in LIGHT:
        made[f'brightness × {factor:g}'] = _with_image(
            one, one.image.float() * factor)
    for other in others:
        made[f'background of {other.name}'] = _with_image(one, swap_background(
            one.image[None].float(), _object(one), other.image[None].float(),
            _object(other))[0])
    made['object removed'] = replace(_with_image(one, without_object(
        one.image[None].float(), _object(one))[0]), mask=None)
    return made


def _with_image(one: Shown, image: torch.Tensor) -> Shown:
    return replace(one, image=image.round().clamp(0, 255).to(torch.uint8))


def _object(one: Shown) -> torch.Tensor:
    return torch.as_tensor(one.mask > 0)[None]
