"""Guided training in a plain PyTorch loop; with --plain, the loop without guidance."""
import torch
import torch.nn.functional as F
from digits import arguments, network, print_accuracy, transform
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

import cfcn_plugin as cfcn

args = arguments(__doc__)
model = network()
dataset = cfcn.MaskedDataset(
    ImageFolder(args.data / 'train_tied', transform),
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
print_accuracy(model.eval(), args.data)
