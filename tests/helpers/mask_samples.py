"""The masks of samples, as a MaskedDataset gives them."""

import numpy as np


def mask_of(mask=None, ignore=None, size=(4, 6), **more):
    none = np.zeros(size, np.uint8)
    return dict(
        guided=mask is not None,
        cropped_out=False,
        activation_mask=none if mask is None else mask,
        ignore_mask=none if ignore is None else ignore,
        **more,
    )


def left(size=(4, 6)):
    mask = np.zeros(size, np.uint8)
    mask[:, :2] = 1
    return mask
