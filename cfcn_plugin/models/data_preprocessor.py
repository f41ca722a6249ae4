"""Moving and augmenting masks with their pictures, one batch at a time."""
from dataclasses import dataclass

import numpy as np
import torch
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from torch import Tensor

# One uint8 plane tells all of a mask, so that one copy moves a batch of them
CONTEXT, CAUSAL, IGNORE = 0, 1, 2
MASK_FIELDS = ('activation_mask', 'mask_classes', 'ignore_mask')


@dataclass(frozen=True)
class MaskBatch:
    """A batch's masks on the model's device.

    Attributes:
        mask: (B, K, H, W), uint8 {0, 1}, or float in [0, 1] after a batch augment.
        ignore: (B, H, W), bool, or float in [0, 1] after a batch augment.
        guided: (B,) bool.
        classes: (B, K) int64, -1 where a plane has none; None for one mask an image.
        emptied: Share of the batch that a crop made unguided, a CPU scalar.
        mask_error: Share whose mask could not be used, a CPU scalar; None where
            that ends the run.
    """
    mask: Tensor
    ignore: Tensor
    guided: Tensor
    classes: Tensor | None
    emptied: Tensor
    mask_error: Tensor | None = None


@MODELS.register_module()
class GuidedDataPreprocessor(ClsDataPreprocessor):
    """``ClsDataPreprocessor`` that takes masks along.

    Masks are padded with context to the batch's size and moved to the device as one
    uint8 tensor. In batch augments they ride as extra channels of the picture, so
    that they are mixed and pasted as it is; unguided parts become ignored.

    Its output has one more key, ``masks``: a :class:`MaskBatch`, or None if no
    ``LoadActivationMask`` was in the pipeline.

    Args: as ``ClsDataPreprocessor``.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        # labels and pictures first, without the augment, which needs the masks too
        packed = super().forward(data, training=False)
        samples = packed['data_samples']
        masks = None
        if samples and 'guided' in samples[0]:
            masks = self._stack(samples, packed['inputs'].shape[-2:])
        if training and self.batch_augments is not None and samples:
            packed['inputs'], masks = self._augment(packed['inputs'], samples, masks)
        return {**packed, 'masks': masks}

    def _stack(self, samples, size) -> MaskBatch:
        """One tensor from the samples' arrays, which are dropped from them."""
        count = max(
            [_planes(s.activation_mask) for s in samples if s.guided], default=1)
        codes = torch.full((len(samples), count, *size), CONTEXT, dtype=torch.uint8)
        classes, per_class = np.full((len(samples), count), -1), False
        for code, row, sample in zip(codes, classes, samples):
            if not sample.guided:
                code.fill_(IGNORE)
                continue
            mask = sample.activation_mask
            mask = mask if mask.ndim == 3 else mask[None]
            planes, height, width = mask.shape
            code[:planes, :height, :width] = torch.from_numpy(mask)
            if 'ignore_mask' in sample:
                ignored = torch.from_numpy(sample.ignore_mask).bool()
                code[:, :height, :width].masked_fill_(ignored, IGNORE)
            if 'mask_classes' in sample:
                per_class = True
                row[:planes] = sample.mask_classes
        emptied = sum(bool(s.get('emptied')) for s in samples) / len(samples)
        errors = [bool(s.mask_error) for s in samples if 'mask_error' in s]
        for sample in samples:
            for field in MASK_FIELDS:
                if field in sample:
                    delattr(sample, field)
        codes = codes.to(self.device, non_blocking=True)
        ignore = codes[:, 0] == IGNORE
        return MaskBatch(
            mask=(codes == CAUSAL).to(torch.uint8),
            ignore=ignore,
            guided=~ignore.flatten(1).all(1),
            classes=torch.from_numpy(classes).to(self.device) if per_class else None,
            emptied=torch.tensor(emptied),
            mask_error=torch.tensor(sum(errors) / len(samples)) if errors else None)

    def _augment(self, inputs, samples, masks: MaskBatch | None):
        """The stock augment on picture and mask together."""
        if 'gt_score' not in samples[0]:
            return inputs, masks
        if masks is not None and masks.classes is not None:
            raise ValueError(
                'batch augments would mix masks of different classes: train without '
                '`batch_augments` (`train_cfg.augments`), or with one mask an image')
        channels = inputs.shape[1]
        scores = torch.stack([sample.gt_score for sample in samples])
        if masks is not None:
            valid = 1 - masks.ignore[:, None].to(inputs.dtype)
            inputs = torch.cat([inputs, masks.mask.to(inputs.dtype), valid], dim=1)
        inputs, scores = self.batch_augments(inputs, scores)
        for sample, score in zip(samples, scores):
            sample.set_gt_score(score)
        if masks is None:
            return inputs, None
        mask, valid = inputs[:, channels:-1], inputs[:, -1:]
        return inputs[:, :channels].contiguous(), MaskBatch(
            # the share of what is known; where nothing is, it does not matter
            mask=(mask / valid.clamp(min=1e-6)).clamp(0, 1),
            ignore=1 - valid[:, 0].clamp(0, 1),
            guided=valid.flatten(1).amax(1) > 0,
            classes=None,
            emptied=masks.emptied,
            mask_error=masks.mask_error)


def _planes(mask: np.ndarray) -> int:
    return mask.shape[0] if mask.ndim == 3 else 1
