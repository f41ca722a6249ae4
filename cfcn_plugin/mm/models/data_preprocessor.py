"""Moving and augmenting masks with their images, one batch at a time."""
import math

import torch
from mmpretrain.models import ClsDataPreprocessor, RandomBatchAugment

from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.stock import Stock

from .batch_augment import MaskedBatchAugment

# The codes of a mask's plane, uint8
CONTEXT, CAUSAL, IGNORE = 0, 1, 2
MASK_FIELDS = ('activation_mask', 'mask_classes', 'ignore_mask')


class GuidedDataPreprocessor(ClsDataPreprocessor):
    """``ClsDataPreprocessor`` that takes masks along.

    Masks are padded with context to the batch's size and moved to the device as one
    uint8 tensor. Batch augments mix and paste them as the images
    (:func:`cfcn_plugin.data.batch_augments.mix_labels`); unguided ones are ignored.

    Its output has one more key, ``masks``: a :class:`MaskBatch`, or None if no
    ``LoadActivationMask`` was in the pipeline. Args: as ``ClsDataPreprocessor``.

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
                    f"image '{sample.get('img_path')}' was packed without `guided`, "
                    'and others of its batch with it: each pipeline that a batch is '
                    "drawn from needs LoadActivationMask (with missing='unguided' "
                    'where there are no masks) and PackGuidedInputs')
        planes = {i: s.activation_mask.reshape(-1, *s.activation_mask.shape[-2:])
                  for i, s in enumerate(samples) if s.guided}
        shape = (len(samples), max(map(len, planes.values()), default=1), *size)
        head = 8 * shape[0] * shape[1]  # bytes of the classes, int64
        memory = torch.full((head + math.prod(shape), ), IGNORE, dtype=torch.uint8)
        classes, codes = _views(memory, shape, head)
        classes.fill_(-1)
        per_class = not planes  # nothing says otherwise
        for i, mask in planes.items():
            per_class |= 'mask_classes' in samples[i]
            self._fill(codes[i], classes[i], mask, samples[i])
        cropped_out = sum(bool(s.get('cropped_out')) for s in samples) / len(samples)
        errors = [bool(s.mask_error) for s in samples if 'mask_error' in s]
        for sample in samples:
            for field in MASK_FIELDS:
                sample.pop(field, None)
        # one copy for classes and codes
        classes, codes = _views(
            memory.to(self.device, non_blocking=True), shape, head)
        ignore = codes[:, 0] == IGNORE
        return MaskBatch(
            mask=(codes == CAUSAL).to(torch.uint8),
            ignore=ignore,
            guided=~ignore.flatten(1).all(1),
            classes=classes if per_class else None,
            cropped_out=torch.tensor(cropped_out),
            mask_error=torch.tensor(sum(errors) / len(samples)) if errors else None)

    def _fill(self, code, classes, mask, sample) -> None:
        """Write a guided sample's mask, (K, h, w), into its part of the batch."""
        count, height, width = mask.shape
        code.fill_(CONTEXT)
        code[:count, :height, :width] = torch.from_numpy(mask)
        if 'ignore_mask' in sample:
            ignored = torch.from_numpy(sample.ignore_mask).bool()
            code[:, :height, :width].masked_fill_(ignored, IGNORE)
        if 'mask_classes' in sample:
            highest = sample.mask_classes.max(initial=-1)
            if self.num_classes is not None and highest >= self.num_classes:
                raise ValueError(
                    f"image '{sample.get('img_path')}' has a mask of class {highest}, "
                    f'and data_preprocessor.num_classes is {self.num_classes}: correct '
                    'the `classes` of the mask source')
            classes[:count] = torch.from_numpy(sample.mask_classes)

    def _augment(self, inputs, samples, masks: MaskBatch | None):
        if 'gt_score' not in samples[0]:
            return inputs, masks
        scores = torch.stack([sample.gt_score for sample in samples])
        inputs, scores, masks = self.batch_augments(inputs, scores, masks)
        for sample, score in zip(samples, scores):
            sample.set_gt_score(score)
        return inputs, masks


def _views(memory: torch.Tensor, shape: tuple, head: int) -> tuple:
    """Classes (B, K) int64 and codes (B, K, H, W) uint8 in one uint8 memory."""
    return memory[:head].view(torch.int64).view(shape[:2]), memory[head:].view(shape)
