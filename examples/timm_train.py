"""Guided training with timm's factory functions: data, model, optimizer, schedule, EMA.

BackgroundSwap pastes digits on the textures of other images, which alone suffices here;
Guide holds an early map on the digit. --plain is the loop without both.
"""
import timm
import torch.nn.functional as F
from digits import arguments, print_accuracy, transform
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import ModelEmaV3
from torch.utils.data import DataLoader

import cfcn_plugin as cfcn

args = arguments(__doc__)
# timm's own transforms move no masks, those of torchvision's v2 do
train = timm.data.create_dataset('', args.data / 'train_tied', transform=transform)
dataset = cfcn.MaskedDataset(train, cfcn.masks.PNGMasks('masks', data_root=args.data))
loader = DataLoader(dataset, 16, shuffle=True, collate_fn=cfcn.collate)
model = timm.create_model('test_resnet', num_classes=3)
method = cfcn.guidance.CausalFocusLoss(0.5, average='micro', reduction='guided')
guide = cfcn.Guide(model, None if args.plain else method, cfcn.FeatureHook('layer1'))
swap = cfcn.data.BackgroundSwap(prob=0. if args.plain else 1.)
optimizer = create_optimizer_v2(model, 'adamw', lr=2e-3, weight_decay=0.01)
scheduler, epochs = create_scheduler_v2(optimizer, 'cosine', args.epochs)
average = ModelEmaV3(model, decay=0.95)
for epoch in range(epochs):
    for images, labels, masks in loader:
        images, labels, masks = swap(images, labels, masks)
        with guide:
            logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss = loss + guide.loss(images, logits, labels, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(model)
    scheduler.step(epoch + 1)
print_accuracy(average, args.data)
