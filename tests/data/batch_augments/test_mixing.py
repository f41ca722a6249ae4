"""A mixed image is pairs of mask, label and weight, whose the pixels are."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from mix_batches import SIZE, batch, mixed_two, seed_all

from cfcn_plugin.data import BackgroundSwap, cutmix, mixup, resizemix
from cfcn_plugin.data.batch_augments import mix_labels

AUGMENTS = {
    'mixup': partial(mixup, alpha=1.0),
    'cutmix': partial(cutmix, alpha=1.0),
    'cutmix minmax': partial(cutmix, alpha=1.0, cutmix_minmax=(0.3, 0.8)),
    'resizemix': partial(resizemix, alpha=1.0),
    'resizemix bicubic': partial(resizemix, alpha=1.0, interpolation='bicubic'),
}


def contributions(augment, planes, seed):
    """What each image gives to each: (B mixed, B given, H, W), one at a time."""
    count = len(planes)
    apart = torch.zeros(count, count, SIZE, SIZE)
    for i in range(count):
        apart[i, i] = planes[i]
    seed_all(seed)
    return augment(apart, torch.eye(count), batch(count)[2])[:2]


@pytest.mark.parametrize('name', AUGMENTS)
def test_components_are_what_each_image_gives(name):
    augment = AUGMENTS[name]
    for seed in range(6):
        inputs, scores, masks = batch(guided=[True, True, False, True, True, True])
        given, fractions = contributions(augment, masks.mask[:, 0].float(), seed)
        present, _ = contributions(augment, torch.ones(6, SIZE, SIZE), seed)
        seed_all(seed)
        found = augment(inputs, scores, masks)[2]
        own, theirs = found.components
        for i in range(6):
            other = int(theirs.target[i].argmax())
            assert own.target[i].argmax() == i
            assert own.weight[i] == (fractions[i, i] if i != 2 else 0)
            expected = [(own, i)]
            if fractions[i, i] < 1:
                assert fractions[i, other] > 0 and other != i
                assert theirs.weight[i] == (fractions[i, other] if other != 2 else 0)
                expected.append((theirs, other))
            else:
                assert theirs.weight[i] == 0
            for component, j in expected:
                fraction = present[i, j]
                mask = (given[i, j] / fraction.clamp(min=1e-3)).clamp(0, 1)
                torch.testing.assert_close(
                    component.mask[i, 0],
                    torch.where(fraction > 1e-3, mask, 0),
                    rtol=0,
                    atol=1e-3,
                )  # the fraction's rounding, over a small fraction
        known = present[:, [0, 1, 3, 4, 5]].sum(1)
        torch.testing.assert_close(1 - found.ignore, known.clamp(0, 1))
        torch.testing.assert_close(
            found.mask[:, 0], (given.sum(1) / known.clamp(min=1e-6)).clamp(0, 1)
        )


def test_mixup_of_two_by_hand():
    _, mixed, masks = mixed_two(AUGMENTS['mixup'])
    fraction = mixed[0, 0]
    first, second = batch(2)[2].mask.float()
    own, theirs = masks.components
    torch.testing.assert_close(own.weight, fraction.expand(2))
    torch.testing.assert_close(theirs.weight, (1 - fraction).expand(2))
    torch.testing.assert_close(own.mask[0], first)
    torch.testing.assert_close(theirs.mask[0], second)
    torch.testing.assert_close(theirs.mask[1], first)
    assert theirs.target.tolist() == [[0, 1], [1, 0]]
    expected = fraction * first + (1 - fraction) * second
    torch.testing.assert_close(masks.mask[0], expected)


def test_two_images_of_one_label_have_the_union_of_their_masks():
    scores = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    _, _, masks = mixed_two(AUGMENTS['mixup'], scores)
    union = batch(2)[2].mask.amax(0).float()
    for component in masks.components:
        torch.testing.assert_close(component.mask, union.expand(2, 1, -1, -1))


def test_masks_of_classes_are_joined_where_the_class_is_the_same():
    classes = torch.tensor([[4, 7], [7, -1]])
    _, _, masks = mixed_two(AUGMENTS['mixup'], planes=2, classes=classes)
    (four, seven), (other_seven, empty) = batch(2, planes=2)[2].mask.float()
    own, theirs = masks.components
    assert own.classes.tolist() == [[4, 7], [7, -1]]
    assert theirs.classes.tolist() == [[7, -1], [4, 7]]
    both = torch.maximum(seven, other_seven)
    torch.testing.assert_close(own.mask[0], torch.stack([four, both]))
    torch.testing.assert_close(theirs.mask[0], torch.stack([both, empty]))
    assert masks.mask.shape[1] == 1 and masks.classes is None


def test_an_image_that_is_mixed_with_itself_keeps_label_and_mask():
    inputs, scores, masks = batch(1)
    mixed, mixed_scores, after = AUGMENTS['mixup'](inputs.clone(), scores, masks)
    torch.testing.assert_close(mixed, inputs)
    torch.testing.assert_close(mixed_scores, scores)
    own, theirs = after.components
    assert own.weight == 1 and theirs.weight == 0
    torch.testing.assert_close(own.mask, masks.mask.float())
    torch.testing.assert_close(after.mask, masks.mask.float())


@pytest.mark.parametrize('augment', [*AUGMENTS.values(), BackgroundSwap(prob=1.0)])
def test_masks_that_ignore_nothing_need_not_say_so(augment):
    masks = batch()[2]
    found = []
    for given in (masks, replace(masks, ignore=None)):
        seed_all(2)
        images, _, after = augment(batch()[0], torch.eye(6), given)
        found.append((images, after.mask, after.known))
    for with_zeros, with_none in zip(*found):
        assert torch.equal(with_zeros, with_none)


def test_an_image_of_which_next_to_nothing_is_left_does_not_lie_there():
    _, scores, masks = batch(2)
    mixed = mix_labels(scores, masks, torch.tensor([1, 0]), 5e-4, 5e-4)[1]
    own, theirs = mixed.components
    assert not own.mask.any() and torch.equal(theirs.mask, masks.mask.flip(0).float())


@pytest.mark.parametrize('name', AUGMENTS)
def test_labels_mix_as_their_one_hot_scores(name):
    found = []
    for given, more in (
        (torch.tensor([2, 0, 1]), dict(num_classes=4)),
        (torch.eye(4)[[2, 0, 1]], {}),
    ):
        inputs, _, masks = batch(3)
        seed_all(0)
        found.append(AUGMENTS[name](inputs, given, masks, **more))
    for one, other in zip(found[0][:2], found[1][:2]):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match=r'got labels \(B,\): give `num_classes`'):
        AUGMENTS[name](inputs, torch.tensor([2, 0, 1]), masks)
