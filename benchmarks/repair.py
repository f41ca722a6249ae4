"""A repair of a trained model over forward passes of the same model."""

from collections.abc import Iterator

import timm
import torch
from torch import Tensor

from cfcn_plugin.repair import repair

from .pairs import Line, Turn, ratio_of

VIEWS = 4
PAIRS = 6  # at most, the fewest with an interval: a pair takes minutes


def repairs(pairs: int, device: str = 'cpu', tiny: bool = False) -> Iterator[Line]:
    """A repair with 4 other backgrounds over 4 forward passes over the images."""
    count, size, classes = (24, 32, 2) if tiny else (1000, 64, 2)
    torch.manual_seed(0)
    model = timm.create_model('tf_efficientnet_lite0', num_classes=classes)
    model = model.to(device).eval()
    data = batches(count, size, classes)

    def repaired(_):
        repair(model, data, views=VIEWS, dry_run=True)

    @torch.no_grad()
    def passes(_):
        for images, _, _ in data * VIEWS:
            model(images.to(device))

    ratio, took = ratio_of(Turn(repaired), Turn(passes), min(pairs, PAIRS), device)
    yield Line(
        f'repair with {VIEWS} backgrounds over {VIEWS} forward passes: '
        f'EfficientNet-Lite0, {size} px, {count} images, {classes} classes',
        ratio,
        2,
        f'{took:.1f} s',
    )


def batches(count: int, size: int, classes: int) -> list[tuple[Tensor, ...]]:
    """Batches of 64; object and background have a colour of the class, and noise."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.randn(2, classes, 3, 1, 1, generator=generator)
    labels = torch.arange(count) % classes
    masks = torch.zeros(count, size, size, dtype=torch.bool)
    masks[:, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = True
    thing, background = colours[:, labels]
    noise = 2 * torch.randn(count, 3, size // 8, size // 8, generator=generator)
    images = torch.where(masks[:, None], thing, background) + (
        noise.repeat_interleave(8, 2).repeat_interleave(8, 3)
    )
    return list(zip(*(one.split(64) for one in (images, labels, masks))))
