"""What the examples share: arguments, TexturedDigits, a small network, its accuracy.

In training each digit has its own texture, in the untied test all textures equally
often: a network that goes by the texture is right in 33 %.
"""
import argparse
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from cfcn_plugin.data.public.textured_digits import write_textured_digits

to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
                        v2.Normalize([0.5] * 3, [0.25] * 3)])
transform = v2.Compose([v2.RandomCrop(36), to_tensor])  # moves image and mask


def arguments(description: str) -> argparse.Namespace:
    """The arguments of an example; the data set is made if it is not there."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--data', type=Path, default='work_dirs/textured-digits')
    parser.add_argument('--epochs', type=int, default=15)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--plain', action='store_true', help='without guidance')
    args = parser.parse_args()
    if not args.data.is_dir():
        write_textured_digits(args.data)
    torch.manual_seed(args.seed)
    return args


def network() -> nn.Module:
    """A small network whose logits are the means of class maps, its module '0'."""
    layers = [nn.LazyConv2d(3, 1), nn.ReLU()]
    for stride in (1, 2, 1, 2):
        layers[:0] = [nn.LazyConv2d(32, 3, stride, 1), nn.BatchNorm2d(32), nn.ReLU()]
    model = nn.Sequential(nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model(torch.rand(2, 3, 40, 40))
    return model


@torch.no_grad()
def print_accuracy(classify, root: Path) -> None:
    """The accuracy of a function from images to logits, on both tests."""
    for test in ('tied', 'untied'):
        images = ImageFolder(root / f'test_{test}', to_tensor)
        right = sum((classify(x).argmax(1) == y).sum().item()
                    for x, y in DataLoader(images, 54))
        print(f'{test}: {right / len(images):.1%} right')
