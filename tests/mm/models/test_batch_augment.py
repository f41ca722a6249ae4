"""Augments of a config: the stock's images and scores, with masks."""

import random

import numpy as np
import pytest
import torch
from mix_batches import SIZE, batch, seed_all
from mmpretrain.models import Mixup, RandomBatchAugment

from cfcn_plugin.data import BackgroundSwap
from cfcn_plugin.data.batch_augments import mix_labels
from cfcn_plugin.mm.models import register_batch_augment
from cfcn_plugin.mm.models.batch_augment import MaskedBatchAugment

AUGMENTS = {
    'Mixup': dict(type='Mixup', alpha=1.0),
    'CutMix': dict(type='CutMix', alpha=1.0),
    'CutMix minmax': dict(type='CutMix', alpha=1.0, cutmix_minmax=[0.3, 0.8]),
    'ResizeMix': dict(type='ResizeMix', alpha=1.0),
    'ResizeMix bicubic': dict(type='ResizeMix', alpha=1.0, interpolation='bicubic'),
}


def masked(config):
    augments = config if isinstance(config, list) else [config]
    return MaskedBatchAugment(RandomBatchAugment(augments))


def next_numbers():
    return random.random(), np.random.rand(), torch.rand(()).item()


# ---- stock -----------------------------------------------------------------


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
    augment = MaskedBatchAugment(RandomBatchAugment([AUGMENTS['Mixup']], probs=[0.0]))
    inputs, scores, masks = batch()
    assert augment(inputs, scores, masks)[2] is masks


def test_without_masks_images_are_mixed_alone():
    inputs, scores, _ = batch()
    mixed, _, masks = masked(AUGMENTS['CutMix'])(inputs, scores, None)
    assert mixed.shape == inputs.shape and masks is None


def test_construction_draws_nothing_and_changes_no_augment():
    seed_all(0)
    expected = next_numbers()
    seed_all(0)
    stock = RandomBatchAugment(AUGMENTS['CutMix'])
    before = vars(stock.augments[0]).copy()
    MaskedBatchAugment(stock)
    assert next_numbers() == expected
    assert vars(stock.augments[0]) == before


# ---- others ----------------------------------------------------------------


class Three:
    """Mixes each image with two others."""

    def __call__(self, inputs, scores):
        order = torch.arange(len(inputs))
        return tuple(
            (x + x[order.roll(1)] + x[order.roll(2)]) / 3 for x in (inputs, scores)
        )


class Warmed(Mixup):
    """A stock augment that a user changed."""


class Halved(BackgroundSwap):
    """One of ours that a user changed."""


@pytest.mark.parametrize('augment', [Three(), Warmed(1.0), Halved()])
def test_an_augment_that_is_not_known_is_refused_by_name(augment):
    name = type(augment).__name__
    with pytest.raises(ValueError) as caught:
        masked(augment)
    for part in (
        f'the batch augment {name} cannot take masks along',
        'Mixup, CutMix, ResizeMix, BackgroundSwap',
        'Leave it out of `batch_augments`',
        f'cfcn_plugin.mm.models.register_batch_augment({name}, function)',
    ):
        assert part in str(caught.value)


class Halves:
    """The right half is the next image's left half, mirrored."""

    def __call__(self, inputs, scores, masks):
        inputs, other = self.paste(inputs), torch.arange(len(inputs)).roll(1)
        own = (torch.arange(SIZE) < SIZE // 2).float().expand(SIZE, SIZE)
        return inputs, *mix_labels(
            scores, masks, other, own, 0.5, lambda planes: planes.flip(-1)
        )

    @staticmethod
    def paste(planes):
        planes[..., SIZE // 2 :] = planes.roll(1, 0).flip(-1)[..., SIZE // 2 :]
        return planes


def test_an_augment_of_ones_own_that_mixes_pairs_is_taken():
    register_batch_augment(Halves, Halves.__call__)
    inputs, scores, masks = batch(3)
    before = masks.mask[:, 0].float()
    mixed, scores, masks = masked(Halves())(inputs.clone(), scores, masks)
    assert torch.equal(mixed, Halves.paste(inputs))
    assert torch.equal(scores, (torch.eye(3) + torch.eye(3).roll(1, 0)) / 2)
    own, theirs = masks.components
    half = torch.arange(SIZE) < SIZE // 2
    assert torch.equal(own.mask[:, 0], before * half)
    assert torch.equal(theirs.mask[:, 0], before.roll(1, 0).flip(-1) * ~half)
    assert (own.weight == 0.5).all() and (theirs.weight == 0.5).all()


class Ours:
    gain = 2


def test_a_registered_function_gets_its_augment_and_the_masks():
    register_batch_augment(
        Ours,
        lambda augment, inputs, scores, masks: (
            augment.gain * inputs,
            scores,
            masks.mask,
        ),
    )
    inputs, scores, masks = batch()
    found = masked(Ours())(inputs, scores, masks)
    assert torch.equal(found[0], 2 * inputs) and found[2] is masks.mask
    with pytest.raises(ValueError, match='Ours needs masks.*LoadActivationMask'):
        masked(Ours())(inputs, scores, None)
