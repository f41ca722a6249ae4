"""Guided training with timm's factory functions: data, model, optimizer, schedule, EMA.

BackgroundSwap pastes digits on the textures of other images, which alone suffices here;
Guide holds an early map on the digit. --plain is the loop without both.
"""
import argparse
from pathlib import Path

import timm
import torch
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import ModelEmaV3
from torch.utils.data import DataLoader
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
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
                        v2.Normalize([0.5] * 3, [0.25] * 3)])
train = timm.data.create_dataset(  # timm's own transforms move no masks, v2 does
    '', args.data / 'train_tied', transform=v2.Compose([v2.RandomCrop(36), to_tensor]))
dataset = cfcn.MaskedDataset(train, cfcn.masks.PNGMasks('masks', data_root=args.data))
loader = DataLoader(dataset, 16, shuffle=True, collate_fn=cfcn.collate)
model = timm.create_model('test_resnet', num_classes=3)
method = cfcn.guidance.CausalFocusLoss(0.5, average='micro', reduction='guided')
guide = cfcn.Guide(model, None if args.plain else method, cfcn.FeatureHook('layer1'))
swap = cfcn.data.BackgroundSwap(prob=0. if args.plain else 0.5)
optimizer = create_optimizer_v2(model, 'adamw', lr=2e-3, weight_decay=0.01)
scheduler, epochs = create_scheduler_v2(optimizer, 'cosine', args.epochs)
average = ModelEmaV3(model, decay=0.95)
for epoch in range(epochs):
    for images, labels, masks in loader:
        images, labels, masks = swap(images, labels, masks)
        with guide:
            logits = model(images)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss = loss + guide.loss(images, logits, labels, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(model)
    scheduler.step(epoch + 1)
for test in ('tied', 'untied'):
    folder = args.data / f'test_{test}'
    tests = timm.data.create_dataset('', folder, transform=to_tensor)
    with torch.no_grad():
        right = sum((average(x).argmax(1) == y).sum().item()
                    for x, y in DataLoader(tests, 54))
    print(f'{test}: {right / len(tests):.1%} right')
