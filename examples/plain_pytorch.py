"""Guided training in a plain PyTorch loop; with --plain, the loop without guidance.

In training each digit has its own texture, in the untied test all textures equally
often: a network that goes by the texture is right in 33 %.
"""
import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

import cfcn_plugin as cfcn
from cfcn_plugin.data.public.textured_digits import write_textured_digits

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('--data', type=Path, default='work_dirs/textured-digits')
parser.add_argument('--epochs', type=int, default=15)
parser.add_argument('--seed', type=int, default=0)
parser.add_argument('--plain', action='store_true')
args = parser.parse_args()
torch.manual_seed(args.seed)
if not args.data.is_dir():
    write_textured_digits(args.data)
# a small network whose logits are the means of class maps
layers = [nn.LazyConv2d(3, 1), nn.ReLU()]
for stride in (1, 2, 1, 2):
    layers[:0] = [nn.LazyConv2d(32, 3, stride, 1), nn.BatchNorm2d(32), nn.ReLU()]
model = nn.Sequential(nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten())
model(torch.rand(2, 3, 40, 40))
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
                        v2.Normalize([0.5] * 3, [0.25] * 3)])
dataset = cfcn.MaskedDataset(
    ImageFolder(args.data / 'train_tied', v2.Compose([v2.RandomCrop(36), to_tensor])),
    cfcn.masks.PNGMasks('masks', data_root=args.data))
loader = DataLoader(dataset, batch_size=16, shuffle=True, collate_fn=cfcn.collate)
method = cfcn.guidance.CausalFocusLoss(0.5, channels='target', reduction='guided')
guide = cfcn.Guide(model, None if args.plain else method, cfcn.FeatureHook('0'))
optimizer = torch.optim.AdamW(model.parameters())
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, 2e-3, args.epochs * len(loader))
for _ in range(args.epochs):
    for images, labels, masks in loader:
        with guide:
            logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss = loss + guide.loss(images, logits, labels, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
model.eval()
for test in ('tied', 'untied'):
    tests = DataLoader(ImageFolder(args.data / f'test_{test}', to_tensor), 54)
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in tests)
    print(f'{test}: {right / len(tests.dataset):.1%} right')
