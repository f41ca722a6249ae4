"""Moving and augmenting masks with their images, one batch at a time."""

import numpy as np
import torch
from mmpretrain.models import ClsDataPreprocessor, RandomBatchAugment

from cfcn_plugin.data import stack_masks
from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.stock import Stock

from .batch_augment import MaskedBatchAugment

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
                    'where there are no masks) and PackGuidedInputs'
                )
            self._check_classes(sample)
        masks = stack_masks(samples, size).to(self.device, non_blocking=True)
        for sample in samples:
            for field in MASK_FIELDS:
                sample.pop(field, None)
        return masks

    def _check_classes(self, sample) -> None:
        highest = sample.get('mask_classes', np.empty(0)).max(initial=-1)
        if self.num_classes is not None and highest >= self.num_classes:
            raise ValueError(
                f"image '{sample.get('img_path')}' has a mask of class {highest}, and "
                f'data_preprocessor.num_classes is {self.num_classes}: correct the '
                '`classes` of the mask source'
            )

    def _augment(self, inputs, samples, masks: MaskBatch | None):
        if 'gt_score' not in samples[0]:
            return inputs, masks
        scores = torch.stack([sample.gt_score for sample in samples])
        inputs, scores, masks = self.batch_augments(inputs, scores, masks)
        for sample, score in zip(samples, scores):
            sample.set_gt_score(score)
        return inputs, masks
