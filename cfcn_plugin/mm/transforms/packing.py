"""Packing image, label and mask for the model."""

from mmpretrain.datasets import PackInputs

from cfcn_plugin.masks.visibility import drop_cropped_out
from cfcn_plugin.stock import Stock

from .agreement import check_flips, check_sizes

MASK_KEYS = (
    'guided',
    'cropped_out',
    'mask_error',
    'activation_mask',
    'mask_classes',
    'ignore_mask',
    'outline_ways',
)


class PackGuidedInputs(PackInputs):
    """``PackInputs`` with the mask.

    If a crop shows no causal pixel, or less than ``min_visible`` of
    ``LoadActivationMask``, the draw is unguided and counted as ``cropped_out``.

    **Required Keys:** those of ``PackInputs``, and ``guided``

    **Added Keys:** those of ``PackInputs``; in the data sample

    - guided (bool), cropped_out (bool)
    - mask_error (bool): if added by LoadActivationMask
    - outline_ways (Counter): if added by LoadActivationMask
    - activation_mask, mask_classes, ignore_mask: if guided, as in LoadActivationMask;
      numpy arrays, since tensors would be copied to the device one by one

    Args:
        input_key, algorithm_keys: As in ``PackInputs``.
        meta_keys: As in ``PackInputs``; ``group`` is packed too.
    """

    stock = Stock('PackInputs')

    def __init__(
        self,
        input_key='img',
        algorithm_keys=(),
        meta_keys=(*PackInputs.DEFAULT_META_KEYS, 'group'),
    ):
        super().__init__(input_key, (*algorithm_keys, *MASK_KEYS), meta_keys)

    def transform(self, results: dict) -> dict:
        if 'guided' not in results:
            raise ValueError(
                'PackGuidedInputs got a sample without `guided`: add '
                "`dict(type='LoadActivationMask', source=...)` after the image is "
                'loaded'
            )
        results['cropped_out'] = False
        if results['guided']:
            check_sizes(results, results[self.input_key], 'before PackGuidedInputs')
            check_flips(results, 'before PackGuidedInputs')
            drop_cropped_out(results)
        return super().transform(results)
