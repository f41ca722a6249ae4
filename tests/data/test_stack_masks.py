"""The masks of a batch, of samples of other sizes, classes and flags."""

import numpy as np
from mask_samples import left, mask_of

from cfcn_plugin.data import stack_masks


def test_masks_are_padded_with_context():
    masks = stack_masks([mask_of(left((4, 4)), size=(4, 4))], (6, 8))
    assert masks.mask.shape == (1, 1, 6, 8) and masks.mask.sum() == 8
    assert not masks.ignore.any()


def test_planes_of_classes_are_padded_with_none():
    two = np.stack([left(), 1 - left()])
    masks = stack_masks(
        [
            mask_of(two, mask_classes=np.array([2, 0])),
            mask_of(left()[None], mask_classes=np.array([1])),
            mask_of(),
        ],
        (4, 6),
    )
    assert masks.mask.shape == (3, 2, 4, 6)
    assert masks.classes.tolist() == [[2, 0], [1, -1], [-1, -1]]


def test_an_ignored_pixel_is_not_causal_and_an_ignored_image_not_guided():
    ignore = np.zeros((4, 6), np.uint8)
    ignore[0] = 1
    masks = stack_masks(
        [mask_of(left(), ignore), mask_of(left(), np.ones((4, 6), np.uint8))], (4, 6)
    )
    assert masks.mask[0].sum() == 6 and masks.ignore[0].sum() == 6
    assert masks.guided.tolist() == [True, False]


def test_draws_and_masks_that_failed_are_counted():
    fine = mask_of(mask_error=False)
    samples = [
        mask_of(left(), mask_error=False),
        mask_of(mask_error=True),
        {**fine, 'cropped_out': True},
        fine,
    ]
    masks = stack_masks(samples, (4, 6))
    assert masks.cropped_out == 0.25 and masks.mask_error == 0.25
