"""Guided training in Lightning: a mixin guides the steps of a module of your own.

Data, network, schedule and result are those of plain_pytorch.py. (This script's name
hides the package `lightning`: elsewhere `import lightning as L` is the same.)
"""
import pytorch_lightning as L
import torch
import torch.nn.functional as F
from digits import arguments, network, print_accuracy, transform
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

import cfcn_plugin as cfcn


class GuidedStep:
    """Mixin of a module with `guide`, whose batches have masks at their end."""

    def training_step(self, batch, index):
        images, labels, masks = batch
        outputs = []
        keep = self.model.register_forward_hook(lambda *call: outputs.append(call[2]))
        with keep, self.guide:
            loss = super().training_step((images, labels), index)
        return loss + self.guide.loss(images, outputs[-1], labels, masks)


class Classifier(L.LightningModule):
    """A module of your own, which knows nothing of masks."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def training_step(self, batch, index):
        images, labels = batch
        return F.cross_entropy(self.model(images), labels)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters())
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 2e-3, self.trainer.estimated_stepping_batches)
        return [optimizer], [dict(scheduler=schedule, interval='step')]


class GuidedClassifier(GuidedStep, Classifier):
    """The added line."""


args = arguments(__doc__)
module = GuidedClassifier(network())
method = cfcn.guidance.CausalFocusLoss(0.5, channels='target', reduction='guided')
module.guide = cfcn.Guide(
    module.model, None if args.plain else method, cfcn.FeatureHook('0'))
data = cfcn.MaskedDataset(ImageFolder(args.data / 'train_tied', transform),
                          cfcn.masks.PNGMasks('masks', data_root=args.data))
loader = DataLoader(data, 16, shuffle=True, collate_fn=cfcn.collate)
trainer = L.Trainer(max_epochs=args.epochs, logger=False, enable_checkpointing=False)
trainer.fit(module, loader)
print_accuracy(module.model.eval().cpu(), args.data)
