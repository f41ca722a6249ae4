"""Models that see one pixel: the object's, or the background's."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cfcn_plugin.repair import swap_accuracy

OBJECT, CORNER = 6, 0


class Sees(nn.Module):
    """Answers class 1 where the pixel is positive."""

    def __init__(self, pixel):
        super().__init__()
        self.pixel = pixel
        self.scale = nn.Parameter(torch.ones(()))
        self.asked = []

    def forward(self, images):
        self.asked.append(images)
        value = self.scale * images[:, 0, self.pixel, self.pixel]
        return torch.stack([-value, value], 1)


def scenes(labels, backgrounds):
    """Objects of -1 or 1 by label, on backgrounds of -1 or 1."""
    labels = torch.tensor(labels)
    masks = torch.zeros(len(labels), 16, 16, dtype=torch.uint8)
    masks[:, 4:8, 4:8] = 1
    of_label, of_background = (
        (2.0 * one - 1).view(-1, 1, 1) for one in (labels, torch.tensor(backgrounds))
    )
    images = torch.where(masks > 0, of_label, of_background)[:, None]
    return images, labels, masks


TIED = scenes([0, 1, 0, 1, 1], [0, 1, 0, 1, 1])


def test_a_model_of_the_object_is_right_on_other_backgrounds():
    measured = swap_accuracy(Sees(OBJECT), [TIED], border=0)
    assert measured == pytest.approx((1, 1, 1, 5, 0))


def test_a_model_of_the_background_is_wrong_on_other_backgrounds():
    measured = swap_accuracy(Sees(CORNER), [TIED], border=0)
    assert measured == pytest.approx((0, 1, 0, 5, 0))


def test_each_class_counts_equally():
    # the object of the only image of class 0 looks like one of class 1
    images, labels, masks = scenes([1, 1, 1, 1], [1, 1, 1, 0])
    labels[0] = 0
    measured = swap_accuracy(Sees(OBJECT), [(images, labels, masks)], border=0)
    assert (measured.original, measured.swapped) == (0.5, 0.5)
    # each of class 1 gets a bright background, the other one a bright or a dark one
    measured = swap_accuracy(Sees(CORNER), [(images, labels, masks)], border=0)
    original, swapped = (0 + 2 / 3) / 2, measured.swapped
    assert measured.original == pytest.approx(original)
    assert swapped in (0.5, 1)
    assert measured.harmonic == pytest.approx(
        2 * original * swapped / (original + swapped)
    )


def test_the_box_around_the_other_object_is_filled():
    images, labels, masks = scenes([0, 1], [0, 1])
    images[1, 0, 4:8, 4:8] = 9  # the mask lacks this part
    masks[1, 5:7, 4:8] = masks[1, 4:8, 5:7] = 0
    masks[1, 4, 4] = masks[1, 7, 7] = 1
    masks[0] = 0
    masks[0, 12:14, 12:14] = 1
    model = Sees(CORNER)
    swap_accuracy(model, [(images, labels, masks)], border=0)
    _, swapped = model.asked
    assert swapped[0].max() < 2


def test_batches_count_as_one_set():
    halves = [scenes([0, 1, 0, 1], [0, 1, 0, 1]), scenes([0, 1], [1, 0])]
    measured = swap_accuracy(Sees(CORNER), halves, border=0)
    # those of the second batch are wrong on their own backgrounds, and right on others
    assert measured.original == pytest.approx(4 / 6)
    assert measured.swapped == pytest.approx(2 / 6)
    assert measured.images == 6


def test_the_same_seed_gives_the_same_and_the_mode_is_kept():
    given = scenes([0, 1] * 10, [0, 1, 1, 0] * 5)
    model = Sees(CORNER).train()
    first = swap_accuracy(model, [given])
    assert first == swap_accuracy(model, [given])
    assert model.training
    assert len({swap_accuracy(model, [given], seed=s) for s in range(5)}) > 1


def test_unguided_and_covered_images_are_left_out():
    images, labels, masks = scenes([0, 1, 0, 1], [0, 1, 0, 1])
    masks[0] = 0
    masks[1] = 1
    measured = swap_accuracy(Sees(OBJECT), [(images, labels, masks)])
    assert (measured.images, measured.left_out) == (2, 1)


def test_several_labels_must_all_be_right():
    images, labels, masks = TIED
    targets = F.one_hot(labels)
    measured = swap_accuracy(Sees(CORNER), [(images, targets, masks)], border=0)
    assert measured == pytest.approx((0, 1, 0, 5, 0))
    targets[0] = 1  # both labels, of which one is predicted, and no other without both
    measured = swap_accuracy(Sees(OBJECT), [(images, targets, masks)], border=0)
    assert measured[1:] == pytest.approx((1, 1, 4, 1))


@pytest.mark.parametrize(
    ('labels', 'mask', 'message'),
    [
        ([0, 1], 0, 'no image has a mask: give masks'),
        ([0, 1], 1, 'none of 2 images with a mask'),
        ([1, 1], None, 'none of 2 images with a mask .* two classes'),
    ],
)
def test_nothing_to_measure_is_an_error(labels, mask, message):
    images, labels, masks = scenes(labels, [0, 1])
    if mask is not None:
        masks[:] = mask
    with pytest.raises(ValueError, match=message):
        swap_accuracy(Sees(OBJECT), [(images, labels, masks)])


def test_wrong_options_are_errors():
    with pytest.raises(ValueError, match='`border` must be >= 0'):
        swap_accuracy(Sees(OBJECT), [TIED], border=-1)
    with pytest.raises(ValueError, match='`seed` must be a whole number'):
        swap_accuracy(Sees(OBJECT), [TIED], seed=0.5)


@pytest.mark.parametrize(
    ('targets', 'message'),
    [
        (torch.tensor([0, 1, 2, 1, 0]), 'targets from 0 to 2, but the model has 2'),
        (torch.tensor([0.0, 1, 0, 1, 1]), 'must be class numbers, got torch.float32'),
        (torch.full((5, 2), 0.5), 'must be 0 or 1'),
    ],
)
def test_targets_that_are_not_the_models_are_told(targets, message):
    with pytest.raises(ValueError, match=message):
        swap_accuracy(Sees(OBJECT), [(TIED[0], targets, TIED[2])])


def test_labels_of_a_smaller_type_are_labels():
    images, labels, masks = TIED
    assert swap_accuracy(Sees(OBJECT), [(images, labels.int(), masks)]).images == 5


def test_a_model_that_answers_nan_has_no_accuracy():
    images, labels, masks = TIED
    with pytest.raises(ValueError, match='logits are NaN'):
        swap_accuracy(Sees(OBJECT), [(images * torch.nan, labels, masks)])


def test_a_model_without_parameters_is_measured():
    class Brightness(torch.nn.Module):
        def forward(self, images):
            return torch.stack([-images.mean((1, 2, 3)), images.mean((1, 2, 3))], 1)

    assert swap_accuracy(Brightness(), [TIED]).original == pytest.approx(1)
