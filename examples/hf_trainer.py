"""Guided training in the Trainer of transformers: masks come by the collator.

BackgroundSwap pastes digits on the textures of other images, as in timm_train.py; Guide
holds an early map on the digit. --plain is the Trainer without both.
"""
import tempfile

from digits import arguments, print_accuracy, transform
from torchvision.datasets import ImageFolder
from transformers import (
    ResNetConfig,
    ResNetForImageClassification,
    Trainer,
    TrainingArguments,
)

import cfcn_plugin as cfcn


class GuidedTrainer(Trainer):
    """A Trainer with ``guide``, whose batches have ``masks``."""

    def compute_loss(self, model, inputs, return_outputs=False, **options):
        masks = inputs.pop('masks').to(inputs['labels'].device)
        with self.guide:
            loss, outputs = super().compute_loss(model, inputs, True, **options)
        loss = loss + self.guide.loss(
            inputs['pixel_values'], outputs, inputs['labels'], masks)
        return (loss, outputs) if return_outputs else loss


def collate(samples):
    images, labels, masks = swap(*cfcn.collate(samples))
    return dict(pixel_values=images, labels=labels, masks=masks)


args = arguments(__doc__)
dataset = cfcn.MaskedDataset(ImageFolder(args.data / 'train_tied', transform),
                             cfcn.masks.PNGMasks('masks', data_root=args.data))
model = ResNetForImageClassification(ResNetConfig(
    embedding_size=32, hidden_sizes=[32, 64], depths=[1, 1], layer_type='basic',
    num_labels=3))
swap = cfcn.data.BackgroundSwap(prob=0. if args.plain else 1.)
method = cfcn.guidance.CausalFocusLoss(0.5, average='micro', reduction='guided')
with tempfile.TemporaryDirectory() as folder:
    trainer = GuidedTrainer(model, TrainingArguments(
        folder, num_train_epochs=args.epochs, per_device_train_batch_size=16,
        learning_rate=2e-3, lr_scheduler_type='cosine', seed=args.seed,
        remove_unused_columns=False, report_to='none', save_strategy='no',
        disable_tqdm=True), data_collator=collate, train_dataset=dataset)
    trainer.guide = cfcn.Guide(model, None if args.plain else method,
                               cfcn.FeatureHook('resnet.encoder.stages.0'))
    trainer.train()
model.eval().cpu()
print_accuracy(lambda images: model(images).logits, args.data)
