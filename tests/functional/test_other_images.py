"""Other images by their labels, all that are allowed and no others."""

import pytest
import torch

from cfcn_plugin.functional.other_images import choose_others

SEVERAL = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 0, 0]])


def chosen(target, which):
    """Over twenty draws, which images have another, and each pair that was drawn."""
    draws = [
        choose_others(target, which, torch.Generator().manual_seed(seed))
        for seed in range(20)
    ]
    assert all(images.tolist() == draws[0][0].tolist() for images, _ in draws)
    return {
        pair
        for images, others in draws
        for pair in zip(images.tolist(), others.tolist())
    }


def test_of_another_class_no_label_is_shared_and_each_image_has_one():
    assert chosen(SEVERAL, 'other_class') == {
        (0, 2),
        (1, 2),
        (4, 2),
        (2, 0),
        (2, 1),
        (2, 4),
    }


def test_of_the_same_class_all_labels_are_shared_and_no_image_has_itself():
    assert chosen(SEVERAL, 'same_class') == {(0, 4), (4, 0)}


@pytest.mark.parametrize(
    'which,pairs',
    [
        ('other_class', {(0, 1), (1, 0), (1, 2), (2, 1)}),
        ('same_class', {(0, 2), (2, 0)}),
    ],
)
def test_labels_are_as_good_as_one_hot_labels(which, pairs):
    assert chosen(torch.tensor([4, 1, 4]), which) == pairs


@pytest.mark.parametrize('target', [[], [1], [1, 1]])
def test_without_another_image_there_is_none(target):
    target = torch.tensor(target, dtype=torch.long)
    images, others = choose_others(target, 'other_class')
    assert images.tolist() == others.tolist() == []


def test_another_relation_is_an_error():
    with pytest.raises(ValueError, match="`which` must be one of .* got 'other'"):
        choose_others(torch.tensor([0, 1]), 'other')
