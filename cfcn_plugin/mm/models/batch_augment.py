"""The mask-true function that stands for each batch augment of a config."""

from collections.abc import Callable

import numpy as np
from mmpretrain.models import CutMix, Mixup, RandomBatchAugment, ResizeMix
from torch import Tensor

from cfcn_plugin.data.batch_augments import BackgroundSwap, cutmix, mixup, resizemix
from cfcn_plugin.guidance.mask_batch import MaskBatch

# mmpretrain's, whose attributes are the options of these functions
STOCK = {Mixup: mixup, CutMix: cutmix, ResizeMix: resizemix}
OTHERS = {BackgroundSwap: BackgroundSwap.__call__}


def register_batch_augment(augment: type, function: Callable) -> None:
    """Register the mask-true function of a batch augment of one's own.

    Args:
        augment: The exact class that configs name; a subclass is registered by itself.
        function: Called as ``function(augment, inputs, scores, masks)``, so that a
            method of the class will do. ``augment`` is the instance, inputs
            (B, 3, H, W) and scores (B, C) are on the model's device, ``masks`` is the
            :class:`MaskBatch` of the inputs. It returns all three, augmented. One that
            mixes images in pairs has
            :func:`cfcn_plugin.data.batch_augments.mix_labels` for scores and masks.
    """
    OTHERS[augment] = function


class MaskedBatchAugment:
    """A ``RandomBatchAugment`` that takes masks along.

    It draws as the stock one does, and gives what the stock one gives.

    Args:
        stock: The stock augment, whose choices and probabilities are used.

    Raises:
        ValueError: It is not known how one of the augments takes masks along.
    """

    def __init__(self, stock: RandomBatchAugment):
        self.augments, self.probs = stock.augments, stock.probs
        for kind in map(type, self.augments):
            if kind not in {*STOCK, *OTHERS, type(None)}:
                known = ', '.join(one.__name__ for one in (*STOCK, *OTHERS))
                raise ValueError(
                    f'the batch augment {kind.__name__} cannot take masks along; '
                    f'{known} can, their subclasses not. Leave it out of '
                    '`batch_augments` (`train_cfg.augments`), or register its function '
                    'by cfcn_plugin.mm.models.register_batch_augment('
                    f'{kind.__name__}, function)'
                )

    def __call__(self, inputs: Tensor, scores: Tensor, masks: MaskBatch | None):
        """Augment a batch.

        Args:
            inputs: (B, 3, H, W).
            scores: (B, C).
            masks: None if the pipeline loads none.

        Returns:
            All three, augmented.

        Raises:
            ValueError: There are no masks, and the augment that is drawn needs them.
        """
        augment = self.augments[np.random.choice(len(self.augments), p=self.probs)]
        kind = type(augment)
        if augment is None:
            return inputs, scores.float(), masks
        if kind in STOCK and masks is None:
            return *augment(inputs, scores), None
        if masks is None:
            raise ValueError(
                f"{kind.__name__} needs masks: put `dict(type='LoadActivationMask', "
                'source=...)` into the training pipeline'
            )
        if kind in STOCK:
            return STOCK[kind](inputs, scores, masks, **vars(augment))
        return OTHERS[kind](augment, inputs, scores.float(), masks)
