"""Moving and augmenting masks with their images, one batch at a time."""
import math

import numpy as np
import torch
from mmpretrain.models import ClsDataPreprocessor, RandomBatchAugment

from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.stock import Stock

from .batch_augment import MaskedBatchAugment

# One uint8 plane tells all of a mask
CONTEXT, CAUSAL, IGNORE = 0, 1, 2
MASK_FIELDS = ('activation_mask', 'mask_classes', 'ignore_mask')


class GuidedDataPreprocessor(ClsDataPreprocessor):
    """``ClsDataPreprocessor`` that takes masks along.

    Masks are padded with context to the batch's size and moved to the device as one
    uint8 tensor. Batch augments mix and paste them as the images
    (:func:`cfcn_plugin.data.batch_augments.mix_labels`); unguided ones are ignored.

    Its output has one more key, ``masks``: a :class:`MaskBatch`, or None if no
    ``LoadActivationMask`` was in the pipeline.

    Args: as ``ClsDataPreprocessor``.

    Raises:
        ValueError: A batch augment cannot take masks along.
    """
    stock = Stock('ClsDataPreprocessor')

    @property
    def batch_augments(self) -> MaskedBatchAugment | None:
        return self._batch_augments

    @batch_augments.setter
    def batch_augments(self, augments: RandomBatchAugment | None) -> None:
        # also how SwitchRecipeHook changes them in a later epoch
        if isinstance(augments, RandomBatchAugment):
            augments = MaskedBatchAugment(augments)
        self._batch_augments = augments

    def forward(self, data: dict, training: bool = False) -> dict:
        # labels and images first, without the augment, which needs the masks too
        packed = super().forward(data, training=False)
        samples = packed['data_samples']
        masks = None
        if samples and any('guided' in sample for sample in samples):
            masks = self._stack(samples, packed['inputs'].shape[-2:])
        if training and self.batch_augments is not None and samples:
            packed['inputs'], masks = self._augment(packed['inputs'], samples, masks)
        return {**packed, 'masks': masks}

    def _stack(self, samples, size) -> MaskBatch:
        """One tensor from the samples' arrays, which are dropped from them."""
        for sample in samples:
            if 'guided' not in sample:
                raise ValueError(
                    f"image '{sample.get('img_path')}' was packed without a word on "
                    'its mask, and others of its batch with one: each pipeline that a '
                    "batch is drawn from needs LoadActivationMask (with missing="
                    "'unguided' where there are no masks) and PackGuidedInputs")
        count = max(
            [_planes(s.activation_mask) for s in samples if s.guided], default=1)
        batch = _Batch(len(samples), count, *size)
        per_class = not any(s.guided for s in samples)  # nothing says otherwise
        for code, row, sample in zip(batch.codes, batch.classes, samples):
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
                strange = sample.mask_classes.max(initial=-1)
                if self.num_classes is not None and strange >= self.num_classes:
                    raise ValueError(
                        f"image '{sample.get('img_path')}' has a mask of class "
                        f'{strange}, and data_preprocessor.num_classes is '
                        f'{self.num_classes}: correct the `classes` of the mask source')
                row[:planes] = torch.from_numpy(sample.mask_classes)
        cropped_out = sum(bool(s.get('cropped_out')) for s in samples) / len(samples)
        errors = [bool(s.mask_error) for s in samples if 'mask_error' in s]
        for sample in samples:
            for field in MASK_FIELDS:
                if field in sample:
                    delattr(sample, field)
        batch = batch.to(self.device)
        ignore = batch.codes[:, 0] == IGNORE
        return MaskBatch(
            mask=(batch.codes == CAUSAL).to(torch.uint8),
            ignore=ignore,
            guided=~ignore.flatten(1).all(1),
            classes=batch.classes if per_class else None,
            cropped_out=torch.tensor(cropped_out),
            mask_error=torch.tensor(sum(errors) / len(samples)) if errors else None)

    def _augment(self, inputs, samples, masks: MaskBatch | None):
        if 'gt_score' not in samples[0]:
            return inputs, masks
        scores = torch.stack([sample.gt_score for sample in samples])
        inputs, scores, masks = self.batch_augments(inputs, scores, masks)
        for sample, score in zip(samples, scores):
            sample.set_gt_score(score)
        return inputs, masks


class _Batch:
    """Codes (B, K, H, W) uint8 and classes (B, K) int64, moved by one copy."""

    def __init__(self, *shape: int, memory: torch.Tensor | None = None):
        self.shape = shape
        images, planes, *_ = shape
        head = 8 * images * planes  # bytes of the classes
        if memory is None:
            memory = torch.full((head + math.prod(shape), ), CONTEXT, dtype=torch.uint8)
            memory[:head].view(torch.int64).fill_(-1)
        self.memory = memory
        self.classes = memory[:head].view(torch.int64).view(images, planes)
        self.codes = memory[head:].view(shape)

    def to(self, device: torch.device) -> '_Batch':
        return _Batch(*self.shape, memory=self.memory.to(device, non_blocking=True))


def _planes(mask: np.ndarray) -> int:
    return mask.shape[0] if mask.ndim == 3 else 1
