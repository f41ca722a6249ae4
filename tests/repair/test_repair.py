"""Repair on a model whose features are the mean of each channel.

Channel 0 of an image is the background, channel 1 the object: each is +1 for class 1
and -1 for class 0. The trained head uses the background alone.
"""

import pytest
import torch
from torch import nn

from cfcn_plugin.guidance import MaskBatch
from cfcn_plugin.repair import repair
from cfcn_plugin.repair.views import choose_backgrounds


class Means(nn.Module):
    def __init__(self, classes=2, bias=True):
        super().__init__()
        self.fc = nn.Linear(3, classes, bias=bias)
        with torch.no_grad():
            self.fc.weight.zero_()
            self.fc.weight[:, 0] = torch.linspace(-5, 5, classes)

    def forward(self, images):
        return self.fc(images.mean((2, 3)))


def batch(count=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    sign = (2.0 * labels - 1).view(-1, 1, 1)
    images = 0.05 * torch.randn(count, 3, 16, 16, generator=generator)
    masks = torch.zeros(count, 16, 16, dtype=torch.uint8)
    masks[:, 4:8, 4:8] = 1
    images[:, 0] += sign * (masks == 0)
    images[:, 1] += sign * masks
    return images, labels, masks


def cross(images, labels, masks):
    """The objects on the background of the other class."""
    images = images.clone()
    images[:, 0] = torch.where(masks > 0, images[:, 0], -images[:, 0])
    return images


def accuracy(model, images, labels):
    return (model(images).argmax(1) == labels).float().mean().item()


@pytest.mark.parametrize('bias', [True, False])
def test_a_model_that_used_the_background_uses_the_object(bias):
    model, given = Means(bias=bias), batch()
    assert accuracy(model, cross(*given), given[1]) == 0
    report = repair(model, [given], border=0)
    test = batch(seed=1)
    assert accuracy(model, cross(*test), test[1]) == 1
    assert accuracy(model, test[0], test[1]) == 1
    assert report.images == 40 and report.left_out == 0
    assert report.plain_before == report.plain_after == pytest.approx(1)
    assert report.swapped_after == pytest.approx(1)
    assert report.changed_after == 0
    assert report.changed_before > 0.5
    assert report.swapped_before < 0.7


def test_the_model_has_the_keys_and_the_mode_that_it_had():
    model = Means().train()
    keys = list(model.state_dict())
    repair(model, [batch()])
    assert list(model.state_dict()) == keys
    assert model.training
    assert not model.fc._forward_pre_hooks


def test_a_dry_run_reports_the_same_and_changes_nothing():
    model, other = Means(), Means()
    before = model.fc.weight.clone()
    assert repair(model, [batch()], dry_run=True) == repair(other, [batch()])
    assert torch.equal(model.fc.weight, before)
    assert not torch.equal(other.fc.weight, before)


def test_batches_are_read_once_and_may_be_a_generator():
    made = []

    def batches():
        for seed in range(3):
            made.append(seed)
            yield batch(seed=seed)

    assert repair(Means(), batches()).images == 120
    assert made == [0, 1, 2]


def test_masks_may_be_those_of_a_guided_loop():
    images, labels, masks = batch()
    guided = torch.arange(40) >= 4
    carried = MaskBatch(masks[:, None], None, guided)
    masks = masks * guided.view(-1, 1, 1)
    assert repair(Means(), [(images, labels, carried)]) == (
        repair(Means(), [(images, labels, masks)])
    )


def test_a_loader_of_a_stream_and_batches_without_images_are_read():
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return zip(*batch())

    expected = repair(Means(), [batch()])
    loader = torch.utils.data.DataLoader(Stream(), 40)
    assert repair(Means(), loader) == expected
    empty = tuple(one[:0] for one in batch())
    assert repair(Means(), [empty, batch(), empty]) == expected


def test_several_labels_are_repaired():
    images, labels, masks = batch()
    targets = torch.stack([labels, 1 - labels], 1)
    model = Means()
    with torch.no_grad():
        model.fc.weight[0], model.fc.weight[1] = torch.eye(3)[0], -torch.eye(3)[0]
    report = repair(model, [(images, targets, masks)], border=0)
    assert report.swapped_after == pytest.approx(1)
    right = (model(cross(images, labels, masks)) > 0) == targets.bool()
    assert right.all()


def test_images_without_a_mask_are_not_used_and_full_masks_are_counted():
    images, labels, masks = batch()
    masks[:4] = 0
    masks[4:6] = 1
    report = repair(Means(), [(images, labels, masks)])
    assert report.images == 34 and report.left_out == 2


def test_the_report_is_a_table_for_a_person():
    text = str(repair(Means(), [batch()], border=0)).splitlines()
    assert text[0].split() == ['held-out', 'images,', '%', 'before', 'after']
    assert text[3].split()[-2:] == ['100.0', '100.0']
    assert text[4].startswith('40 guided images, 0 left out; strength ')


@pytest.mark.parametrize('count', [2, 3, 4, 7, 30, 64])
@pytest.mark.parametrize('views', [1, 4])
def test_backgrounds_are_of_another_image_of_the_fold(count, views):
    folds, others = choose_backgrounds(count, views, torch.Generator().manual_seed(0))
    assert others.shape == (count, views)
    assert (others != torch.arange(count)[:, None]).all()
    assert (folds[others] == folds[:, None]).all()
    sizes = folds.bincount()
    assert sizes.min() >= 2 and sizes.max() - sizes.min() <= 1 and len(sizes) <= 5


def test_with_enough_images_each_view_has_another_background():
    _, others = choose_backgrounds(30, 4, torch.Generator().manual_seed(0))
    assert all(len(set(row)) == 4 for row in others.tolist())


# ---- bad input ---------------------------------------------------------------


def test_no_mask_at_all_is_an_error():
    images, labels, masks = batch()
    with pytest.raises(ValueError, match='no image has a mask'):
        repair(Means(), [(images, labels, masks * 0)])


def test_no_batch_is_an_error():
    with pytest.raises(ValueError, match='`batches` is empty'):
        repair(Means(), [])


def test_a_class_without_a_mask_is_an_error():
    images, labels, masks = batch()
    with pytest.raises(ValueError, match=r'no guided image of the classes \[2\]'):
        repair(Means(classes=3), [(images, labels, masks)])


def test_batches_of_one_class_each_are_an_error():
    images, labels, masks = batch()
    parts = [
        (images[labels == c], labels[labels == c], masks[labels == c]) for c in (0, 1)
    ]
    with pytest.raises(ValueError, match='shuffle the images'):
        repair(Means(), parts)


def test_batches_of_sorted_images_are_an_error():
    images, labels, masks = batch()
    order = labels.argsort(stable=True)
    parts = [
        (images[some], labels[some], masks[some]) for some in order.split(16)
    ]  # the second has both classes
    with pytest.raises(ValueError, match='% of the backgrounds are .* the same class'):
        repair(Means(), parts)


@pytest.mark.parametrize('several', [False, True])
def test_a_class_on_its_own_backgrounds_alone_is_an_error(several):
    parts = []
    for classes in ((0, 1), (2,)):  # the third class is in batches of its own
        images, labels, masks = batch(count=20)
        labels = labels % len(classes) + classes[0]
        if several:
            labels = torch.nn.functional.one_hot(labels, 3)
        parts.append((images, labels, masks))
    with pytest.raises(ValueError, match=r'all backgrounds for the classes \[2\]'):
        repair(Means(classes=3), parts)


@pytest.mark.parametrize('classes', [1, 2])
def test_a_label_that_each_guided_image_has_is_an_error(classes):
    images, labels, masks = batch()
    targets = torch.stack([torch.ones_like(labels), labels], 1)[:, :classes]
    with pytest.raises(ValueError, match=r'each guided image has the classes \[0\]'):
        repair(Means(classes=classes), [(images, targets, masks)])


def test_labels_beyond_the_model_are_an_error():
    images, labels, masks = batch()
    with pytest.raises(ValueError, match='targets from 1 to 2, but the model has 2'):
        repair(Means(), [(images, labels + 1, masks)])


def test_features_beyond_the_memory_are_told_before_the_work():
    read = []

    def batches():
        for seed in range(9):
            read.append(seed)
            yield batch(seed=seed)

    with pytest.raises(ValueError, match='need about 0.211 MiB.*allows 0.001 MiB'):
        repair(Means(), batches(), memory=1000)
    assert len(read) == 1


@pytest.mark.parametrize(
    'options', [dict(views=0), dict(strengths=[]), dict(strengths=[1, 0])]
)
def test_options_out_of_range_are_an_error(options):
    with pytest.raises(ValueError, match='`views` must be 1 or more'):
        repair(Means(), [batch()], **options)


@pytest.mark.parametrize('value', [-1, torch.nan])
def test_masks_below_0_or_nan_are_an_error(value):
    images, labels, masks = batch()
    masks = masks.float()
    masks[3, 0, 0] = value
    with pytest.raises(ValueError, match='0 on the background and above 0'):
        repair(Means(), [(images, labels, masks)])


def test_a_wrong_mask_shape_is_an_error():
    images, labels, masks = batch()
    with pytest.raises(ValueError, match='expected .B, H, W. of the same'):
        repair(Means(), [(images, labels, masks[:, :8])])
