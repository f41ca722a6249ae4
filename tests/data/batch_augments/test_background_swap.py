"""Objects change places; labels, masks and unguided images do not."""

import numpy as np
import pytest
import torch
from mmpretrain.models import RandomBatchAugment
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from mmpretrain.structures import DataSample

from cfcn_plugin.data.batch_augments.background_swap import BackgroundSwap
from cfcn_plugin.functional.compositing import swap_background
from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.mm.models.batch_augment import MaskedBatchAugment

SIZE = 32


def batch(guided=(True, True, True, True)):
    guided = torch.tensor(guided)
    inputs = torch.rand(len(guided), 3, SIZE, SIZE)
    mask = torch.zeros(len(guided), 1, SIZE, SIZE, dtype=torch.uint8)
    mask[..., 8:24, 10:20] = 1
    mask *= guided.view(-1, 1, 1, 1)
    ignore = ~guided[:, None, None].expand(-1, SIZE, SIZE)
    masks = MaskBatch(mask, ignore, guided, None, torch.tensor(0.0))
    return inputs, torch.eye(len(guided)), masks


def test_objects_stay_and_backgrounds_go():
    inputs, scores, masks = batch()
    swapped, labels, after = BackgroundSwap(prob=1.0)(inputs, scores, masks)
    assert torch.equal(labels, scores) and after is masks
    middle = (..., slice(15, 17), slice(14, 16))  # three borders from the outline
    torch.testing.assert_close(swapped[middle], inputs[middle], atol=0.02, rtol=0)
    corner = swapped[..., :2, :2]
    distance = (corner[:, None] - inputs[None, ..., :2, :2]).abs().amax((2, 3, 4))
    nearest = distance.argmin(1)
    assert (distance.amin(1) < 1e-5).all()
    assert (nearest != torch.arange(4)).all() and sorted(nearest) == [0, 1, 2, 3]


def test_it_is_the_function_of_the_test_sets():
    inputs, scores, masks = batch((True, True))
    objects = masks.mask[:, 0].bool()
    torch.testing.assert_close(
        BackgroundSwap(prob=1.0, border=1.5)(inputs, scores, masks)[0],
        swap_background(inputs, objects, inputs.flip(0), objects.flip(0), border=1.5),
    )


def test_with_a_box_as_the_hole_no_part_of_the_other_object_remains():
    inputs, scores, masks = batch((True, True))
    inputs[:] = 0.0
    box = (..., slice(10, 22), slice(8, 20))
    inputs[box] = 1.0
    masks.mask[:] = 0
    masks.mask[:, :, 10:22, 8:10] = masks.mask[:, :, 20:22, 8:20] = 1  # the corner
    masks.mask[0, :, 10:22, 8:20] = 0
    masks.mask[0, :, 14:16, 12:14] = 1
    inputs[0] = 0.0
    by_mask = BackgroundSwap(1.0, 1.0)(inputs, scores, masks)[0][0]
    by_box = BackgroundSwap(1.0, 1.0, hole='box')(inputs, scores, masks)[0][0]
    assert by_mask.max() == 1  # the part of the object that its mask lacks
    assert by_box.max() < 0.05


def test_unguided_images_neither_change_nor_give_their_context():
    for seed in range(10):
        torch.manual_seed(seed)
        inputs, scores, masks = batch((True, False, True, False))
        inputs[1::2] += 100
        swapped = BackgroundSwap(prob=1.0)(inputs, scores, masks)[0]
        assert torch.equal(swapped[1::2], inputs[1::2])
        assert swapped[::2].max() < 2
        assert (swapped[::2] != inputs[::2]).any((1, 2, 3)).all()


@pytest.mark.parametrize('guided', [(False, False), (False, True)])
def test_without_another_guided_image_nothing_changes(guided):
    inputs, scores, masks = batch(guided)
    assert torch.equal(BackgroundSwap(prob=1.0)(inputs, scores, masks)[0], inputs)


def test_probability_is_that_of_an_image():
    torch.manual_seed(0)
    inputs, scores, masks = batch((True,) * 400)
    swapped = BackgroundSwap(prob=0.3)(inputs, scores, masks)[0]
    fraction = (swapped != inputs).any(1).any(1).any(1).float().mean()
    assert 0.23 < fraction < 0.37
    assert torch.equal(BackgroundSwap(prob=0.0)(inputs, scores, masks)[0], inputs)


def test_what_a_mask_leaves_open_goes_with_the_object():
    inputs, scores, masks = batch((True, True))
    masks.ignore[:, 2:8] = True
    swapped = BackgroundSwap(prob=1.0, border=0)(inputs, scores, masks)[0]
    assert torch.equal(swapped[:, :, 2:8], inputs[:, :, 2:8])


def test_it_is_built_from_a_config_beside_others():
    preprocess = MODELS.build(
        dict(
            type='GuidedDataPreprocessor',
            num_classes=2,
            batch_augments=dict(
                augments=[
                    dict(type='BackgroundSwap', prob=1.0),
                    dict(type='CutMix', alpha=1.0),
                ]
            ),
        )
    )
    samples = []
    for label in range(2):
        mask = np.zeros((SIZE, SIZE), np.uint8)
        mask[8:24, 10:20] = 1
        sample = DataSample().set_gt_label(label)
        for field, value in dict(
            guided=True, cropped_out=False, activation_mask=mask
        ).items():
            sample.set_field(value, field)
        samples.append(sample)
    for seed in range(4):
        np.random.seed(seed)
        out = preprocess(
            dict(
                inputs=list(batch((True, True))[0]),
                data_samples=[sample.clone() for sample in samples],
            ),
            training=True,
        )
        assert out['masks'].guided.all()


def test_without_masks_it_says_what_is_missing():
    augment = MaskedBatchAugment(RandomBatchAugment(dict(type='BackgroundSwap')))
    inputs, scores, _ = batch()
    with pytest.raises(ValueError, match='BackgroundSwap needs masks'):
        augment(inputs, scores, None)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(prob=1.5), r'`prob` must be in \[0, 1\], got 1.5'),
        (dict(border=-1), '`border` must be >= 0, got -1'),
        (dict(hole='round'), "`hole` must be one of .*'box'.*, got 'round'"),
    ],
)
def test_wrong_option_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        BATCH_AUGMENTS.build(dict(type='BackgroundSwap', **options))


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(images=torch.zeros(2, 3, 4, 4, dtype=torch.uint8)), 'floating-point'),
        (dict(mask=torch.ones(2, 4, 4)), r'must have shape \(2, K, H, W\)'),
        (dict(mask=torch.ones(2, 1, 8, 8)), r'height and width \(8, 8\)'),
        (dict(guided=torch.ones(2)), r'`masks.guided` must be \(2,\) bool'),
    ],
)
def test_images_and_masks_that_do_not_fit_are_told(change, message):
    given = dict(
        images=torch.zeros(2, 3, 4, 4),
        mask=torch.ones(2, 1, 4, 4),
        guided=torch.ones(2, dtype=torch.bool),
    )
    given |= change
    masks = MaskBatch(given['mask'], None, given['guided'])
    with pytest.raises(ValueError, match=message):
        BackgroundSwap()(given['images'], torch.arange(2), masks)
