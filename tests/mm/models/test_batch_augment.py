"""A mixed image is pairs of mask, label and weight; the images are the stock's."""
import random

import numpy as np
import pytest
import torch
from mmpretrain.models import RandomBatchAugment

from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.mm.models.batch_augment import MaskedBatchAugment, check_augment

AUGMENTS = {
    'Mixup': dict(type='Mixup', alpha=1.),
    'CutMix': dict(type='CutMix', alpha=1.),
    'CutMix minmax': dict(type='CutMix', alpha=1., cutmix_minmax=[0.3, 0.8]),
    'ResizeMix': dict(type='ResizeMix', alpha=1.),
    'ResizeMix bicubic': dict(type='ResizeMix', alpha=1., interpolation='bicubic'),
}
SIZE = 24


def masked(config):
    augments = config if isinstance(config, list) else [config]
    return MaskedBatchAugment(RandomBatchAugment(augments))


def batch(count=6, planes=1, classes=None, guided=None, seed=0):
    """Noise, one-hot scores of distinct labels, and boxes as masks."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(count, planes, SIZE, SIZE, dtype=torch.uint8)
    for i in range(count):
        for k in range(planes):
            mask[i, k, 2 * i:2 * i + 9, 5 + i + 3 * k:17] = 1
    guided = torch.tensor(guided or [True] * count)
    mask *= guided.view(-1, 1, 1, 1)
    ignore = ~guided[:, None, None].expand(-1, SIZE, SIZE)
    masks = MaskBatch(mask, ignore, guided, classes, torch.tensor(0.))
    inputs = torch.rand(count, 3, SIZE, SIZE, generator=generator)
    return inputs, torch.eye(count), masks


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def next_numbers():
    return random.random(), np.random.rand(), torch.rand(()).item()


def contributions(augment, planes, seed):
    """What each image gives to each: (B mixed, B given, H, W), one at a time."""
    count = len(planes)
    apart = torch.zeros(count, count, SIZE, SIZE)
    for i in range(count):
        apart[i, i] = planes[i]
    seed_all(seed)
    return augment(apart, torch.eye(count), None)[:2]


# ---- images ----------------------------------------------------------------


@pytest.mark.parametrize('name', AUGMENTS)
def test_images_scores_and_random_state_are_the_stock_ones(name):
    for seed in range(5):
        inputs, scores, masks = batch()
        seed_all(seed)
        expected = RandomBatchAugment(AUGMENTS[name])(inputs.clone(), scores.clone())
        after = next_numbers()
        seed_all(seed)
        found = masked(AUGMENTS[name])(inputs, scores, masks)
        assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])
        assert next_numbers() == after


def test_several_augments_are_drawn_as_by_the_stock_one():
    config = [AUGMENTS['Mixup'], AUGMENTS['CutMix']]
    for seed in range(8):
        inputs, scores, masks = batch()
        seed_all(seed)
        expected = RandomBatchAugment(config, probs=[0.4, 0.3])(inputs.clone(), scores)
        seed_all(seed)
        ours = MaskedBatchAugment(RandomBatchAugment(config, probs=[0.4, 0.3]))
        assert torch.equal(ours(inputs, scores, masks)[0], expected[0])


def test_a_batch_that_is_not_mixed_keeps_its_masks():
    augment = MaskedBatchAugment(RandomBatchAugment([AUGMENTS['Mixup']], probs=[0.]))
    inputs, scores, masks = batch()
    assert augment(inputs, scores, masks)[2] is masks


def test_without_masks_images_are_mixed_alone():
    inputs, scores, _ = batch()
    mixed, _, masks = masked(AUGMENTS['CutMix'])(inputs, scores, None)
    assert mixed.shape == inputs.shape and masks is None


# ---- components -------------------------------------------------------------------


@pytest.mark.parametrize('name', AUGMENTS)
def test_parts_are_what_each_image_gives(name):
    augment = masked(AUGMENTS[name])
    for seed in range(6):
        inputs, scores, masks = batch(guided=[True, True, False, True, True, True])
        given, shares = contributions(augment, masks.mask[:, 0].float(), seed)
        present, _ = contributions(augment, torch.ones(6, SIZE, SIZE), seed)
        seed_all(seed)
        found = augment(inputs, scores, masks)[2]
        own, theirs = found.components
        for i in range(6):
            partner = int(theirs.target[i].argmax())
            assert own.target[i].argmax() == i
            assert own.weight[i] == (shares[i, i] if i != 2 else 0)
            expected = [(own, i)]
            if shares[i, i] < 1:
                assert shares[i, partner] > 0 and partner != i
                assert theirs.weight[i] == (shares[i, partner] if partner != 2 else 0)
                expected.append((theirs, partner))
            else:
                assert theirs.weight[i] == 0
            for component, j in expected:
                share = present[i, j]
                mask = (given[i, j] / share.clamp(min=1e-3)).clamp(0, 1)
                torch.testing.assert_close(
                    component.mask[i, 0], torch.where(share > 1e-3, mask, 0),
                    rtol=0, atol=1e-3)  # the share's rounding, over a small share
        known = present[:, [0, 1, 3, 4, 5]].sum(1)
        torch.testing.assert_close(1 - found.ignore, known.clamp(0, 1))
        torch.testing.assert_close(
            found.mask[:, 0], (given.sum(1) / known.clamp(min=1e-6)).clamp(0, 1))


def mixed_two(augment, scores=None, want=lambda share: 0.2 < share < 0.8, **kwargs):
    """Two images mixed with each other, for the first seed that does."""
    for seed in range(100):
        inputs, one_hot, masks = batch(2, **kwargs)
        seed_all(seed)
        inputs, mixed, masks = augment(
            inputs, one_hot if scores is None else scores, masks)
        if want(float(masks.components[0].weight[0])):
            return inputs, mixed, masks
    raise AssertionError('no seed mixes the two')


def test_mixup_of_two_by_hand():
    _, mixed, masks = mixed_two(masked(AUGMENTS['Mixup']))
    share = mixed[0, 0]
    first, second = batch(2)[2].mask.float()
    own, theirs = masks.components
    torch.testing.assert_close(own.weight, share.expand(2))
    torch.testing.assert_close(theirs.weight, (1 - share).expand(2))
    torch.testing.assert_close(own.mask[0], first)
    torch.testing.assert_close(theirs.mask[0], second)
    torch.testing.assert_close(theirs.mask[1], first)
    assert theirs.target.tolist() == [[0, 1], [1, 0]]
    torch.testing.assert_close(masks.mask[0], share * first + (1 - share) * second)


def test_the_pasted_region_carries_its_own_mask_and_nothing_else():
    inputs, _, masks = mixed_two(masked(AUGMENTS['CutMix']))
    images, _, before = batch(2)
    pasted = (inputs[0] == images[1]).all(0)
    assert 0 < pasted.float().mean() < 1
    own, theirs = masks.components
    assert torch.equal(own.mask[0, 0], before.mask[0, 0] * ~pasted)
    assert torch.equal(theirs.mask[0, 0], before.mask[1, 0] * pasted)


def test_unguided_partner_has_no_weight_and_its_region_is_ignored():
    inputs, _, masks = mixed_two(masked(AUGMENTS['CutMix']), guided=[True, False])
    pasted = (inputs[0] == batch(2)[0][1]).all(0)
    own, theirs = masks.components
    assert own.weight[0] > 0 and own.weight[1] == 0
    assert theirs.weight[0] == 0 and theirs.weight[1] > 0
    assert torch.equal(masks.ignore[0] == 1, pasted)
    assert masks.guided.all()


def test_two_images_of_one_label_have_the_union_of_their_masks():
    scores = torch.tensor([[0., 1.], [0., 1.]])
    _, _, masks = mixed_two(masked(AUGMENTS['Mixup']), scores)
    union = batch(2)[2].mask.amax(0).float()
    for component in masks.components:
        torch.testing.assert_close(component.mask, union.expand(2, 1, -1, -1))


def test_masks_of_classes_are_joined_where_the_class_is_the_same():
    classes = torch.tensor([[4, 7], [7, -1]])
    _, _, masks = mixed_two(masked(AUGMENTS['Mixup']), planes=2, classes=classes)
    (four, seven), (other_seven, nobody) = batch(2, planes=2)[2].mask.float()
    own, theirs = masks.components
    assert own.classes.tolist() == [[4, 7], [7, -1]]
    assert theirs.classes.tolist() == [[7, -1], [4, 7]]
    both = torch.maximum(seven, other_seven)
    torch.testing.assert_close(own.mask[0], torch.stack([four, both]))
    torch.testing.assert_close(theirs.mask[0], torch.stack([both, nobody]))
    assert masks.mask.shape[1] == 1 and masks.classes is None


# ---- what can be mixed ---------------------------------------------------------


class Three:
    """Mixes each image with two others."""

    def __call__(self, inputs, scores):
        order = torch.arange(len(inputs))
        return tuple((x + x[order.roll(1)] + x[order.roll(2)]) / 3
                     for x in (inputs, scores))


class Smoothed:
    """Touches scores alone."""

    def __call__(self, inputs, scores):
        return inputs, 0.9 * scores


class Cropped:

    def __call__(self, inputs, scores):
        return inputs[..., 1:], scores


class Broken:

    def __call__(self, inputs, scores):
        raise RuntimeError('three channels only')


class ByLabel:

    def __call__(self, inputs, scores, labels):
        return inputs, scores


@pytest.mark.parametrize('augment, reason', [
    (Three(), 'it mixes more than two images into one'),
    (Smoothed(), 'its scores are not a mixture'),
    (Cropped(), r'it made \[\(4, 4, 224, 223\), \(4, 4\)\]'),
    (Broken(), r"it fails: RuntimeError\('three channels only'\)"),
    (ByLabel(), r"not called as \(inputs, scores\): .*'labels'"),
])
def test_an_augment_that_does_otherwise_is_refused_by_name(augment, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        masked(augment)
    assert f'the batch augment {type(augment).__name__}' in str(caught.value)
    assert '`needs_masks = True`' in str(caught.value)


def test_an_augment_of_ones_own_that_mixes_pairs_is_taken():
    class Halves:
        """The right half is the next image's left half, mirrored."""

        def __call__(self, inputs, scores):
            inputs[..., SIZE // 2:] = inputs.roll(1, 0).flip(-1)[..., SIZE // 2:]
            return inputs, (scores + scores.roll(1, 0)) / 2

    inputs, scores, masks = batch(3)
    before = masks.mask[:, 0].float()
    own, theirs = masked(Halves())(inputs, scores, masks)[2].components
    half = torch.arange(SIZE) < SIZE // 2
    assert torch.equal(own.mask[:, 0], before * half)
    assert torch.equal(theirs.mask[:, 0], before.roll(1, 0).flip(-1) * ~half)
    assert (own.weight == 0.5).all() and (theirs.weight == 0.5).all()


def test_an_augment_that_needs_masks_gets_them():

    class Ours:
        needs_masks = True

        def __call__(self, inputs, scores, masks):
            return inputs, scores, masks.mask

    inputs, scores, masks = batch()
    assert masked(Ours())(inputs, scores, masks)[2] is masks.mask
    with pytest.raises(ValueError, match='Ours needs masks.*LoadActivationMask'):
        masked(Ours())(inputs, scores, None)


def test_the_check_draws_nothing():
    seed_all(0)
    expected = next_numbers()
    seed_all(0)
    augment = RandomBatchAugment(AUGMENTS['CutMix']).augments[0]
    before = vars(augment).copy()
    check_augment(augment)
    assert next_numbers() == expected
    assert vars(augment) == before
