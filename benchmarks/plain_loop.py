"""A guided step over the plain step, in a plain PyTorch loop."""

from collections.abc import Iterator

import timm
import torch
import torch.nn.functional as F

from cfcn_plugin import Guide, MaskBatch
from cfcn_plugin.guidance import CausalFocusLoss

from .pairs import Line, Turn, ratio_of

MODELS = {'ResNet-50': 'resnet50', 'ViT-S/16': 'vit_small_patch16_224'}
TINY = {'ResNet-50': 'resnet10t', 'ViT-S/16': 'test_vit'}


def plain_loop(pairs: int, device: str = 'cpu', tiny: bool = False) -> Iterator[Line]:
    """Forward, losses, backward and optimizer, with ``Guide`` over without it.

    The guided step moves the masks to the device, the plain step has none.
    """
    images = 2 if device == 'cpu' else 64
    for name, model in (TINY if tiny else MODELS).items():
        size = 160 if tiny else 224
        ratio, took = ratio_of(
            step(model, size, images, device, True),
            step(model, size, images, device, False),
            pairs,
            device,
        )
        yield Line(
            f'guided step over plain, in a plain loop: {name} of timm, '
            f'{size} px, batch of {images}',
            ratio,
            1.02,
            f'{1000 * took:.0f} ms',
        )


def step(model: str, size: int, images: int, device: str, guided: bool) -> Turn:
    """A training step of a network of its own."""
    torch.manual_seed(0)
    net = timm.create_model(model, num_classes=1000).to(device).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9)
    guide = Guide(net, CausalFocusLoss(reduction='guided')) if guided else None
    inputs = torch.rand(images, 3, size, size, device=device)
    labels = torch.arange(images, device=device)
    mask = torch.zeros(images, 1, size, size, dtype=torch.uint8)
    mask[..., size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    given = MaskBatch(mask, None, torch.ones(images, dtype=torch.bool))

    def run(_) -> None:
        if guide is None:
            loss = F.cross_entropy(net(inputs), labels)
        else:
            masks = given.to(device, non_blocking=True)
            with guide:
                logits = net(inputs)
            loss = F.cross_entropy(logits, labels)
            loss = loss + guide.loss(inputs, logits, labels, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return Turn(run)
