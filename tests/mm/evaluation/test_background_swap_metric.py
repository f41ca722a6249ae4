"""Networks that see only the object, or only the background, by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import METRICS
from mmpretrain.structures import DataSample
from torch import nn

from cfcn_plugin.functional.compositing import swap_background, without_object
from cfcn_plugin.mm.evaluation import BackgroundSwapMetric
from cfcn_plugin.mm.evaluation.model_aware_metric import EvalBatch
from cfcn_plugin.mm.models import GuidedDataPreprocessor
from cfcn_plugin.repair import swap_accuracy

SIZE, BOX = 16, slice(5, 11)


class Scenes:
    """Bright or dark boxes, by label, on backgrounds of their own grey.

    Args:
        labels: Of each image.
        backgrounds: 0 or 255, of each image.
        unguided: Indices without a mask.
    """

    def __init__(self, labels, backgrounds, unguided=()):
        self.labels = labels
        self.backgrounds = backgrounds
        self.unguided = unguided
        self.loaded = []

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, index):
        return dict(gt_label=self.labels[index], sample_idx=index)

    def __getitem__(self, index):
        self.loaded.append(index)
        image = torch.full((3, SIZE, SIZE), self.backgrounds[index], dtype=torch.uint8)
        image[:, BOX, BOX] = 200 if self.labels[index] else 50
        sample = DataSample(metainfo=dict(sample_idx=index)).set_gt_label(
            self.labels[index]
        )
        sample.set_field(index not in self.unguided, 'guided')
        if sample.guided:
            mask = np.zeros((SIZE, SIZE), np.uint8)
            mask[BOX, BOX] = 1
            sample.set_field(mask, 'activation_mask')
        return dict(inputs=image, data_samples=sample)


class Sees(nn.Module):
    """Answers by the brightness of one pixel."""

    def __init__(self, pixel, batch_augments=None):
        super().__init__()
        self.pixel = pixel
        self.data_preprocessor = GuidedDataPreprocessor(
            mean=[100.0] * 3,
            std=[50.0] * 3,
            num_classes=2,
            batch_augments=batch_augments,
        )
        self.asked = []

    def forward(self, inputs, data_samples=None, mode='predict', masks=None):
        self.asked.append(inputs)
        bright = inputs[:, 0, self.pixel, self.pixel] * 50 + 100 > 127
        samples = data_samples or [DataSample() for _ in inputs]
        return [s.set_pred_label(int(b)) for s, b in zip(samples, bright)]


def shown(model, scenes, indices=None):
    packed = [scenes[i] for i in indices or range(len(scenes))]
    images = [p['inputs'] for p in packed]
    data = model.data_preprocessor(
        dict(inputs=images, data_samples=[p['data_samples'] for p in packed])
    )
    return EvalBatch(images, data['inputs'], data['masks'], model(**data), scenes)


def result_of(model, scenes, **options):
    metric = BackgroundSwapMetric(**options)
    rows = metric.evaluate_batch(model, shown(model, scenes))
    return metric.compute_metrics(rows)


OBJECT, CORNER = 8, 0
TIED = ([0, 1, 0, 1, 1], [0, 255, 0, 255, 255])


def test_who_sees_the_object_does_not_mind_the_background():
    measured = result_of(Sees(OBJECT), Scenes(*TIED), border=0)
    # the background fills the place of the object, and gives the label here
    assert measured == dict(
        original=100,
        other_class=100,
        same_class=100,
        gap=0,
        changed=0,
        no_background=100,
        no_object=100,
        harmonic_accuracy=100,
        images=5,
        fair=1,
    )


def test_who_sees_the_background_is_found_out():
    measured = result_of(Sees(CORNER), Scenes(*TIED), border=0)
    # grey is bright, and three of five are of the bright class
    assert measured == dict(
        original=100,
        other_class=0,
        same_class=100,
        gap=100,
        changed=100,
        no_background=60,
        no_object=100,
        harmonic_accuracy=0,
        images=5,
        fair=1,
    )


def test_untied_backgrounds_give_nothing_away():
    scenes = Scenes([0, 1, 0, 1], [0, 0, 255, 255])
    assert result_of(Sees(OBJECT), scenes, border=0)['no_object'] == 50
    assert result_of(Sees(CORNER), scenes, border=0)['original'] == 50


def test_balanced_backgrounds_have_no_gap_and_are_found_out_all_the_same():
    scenes = Scenes([0, 1] * 40, [0, 0, 255, 255] * 20)
    object_alone = result_of(Sees(OBJECT), scenes, border=0)
    background_alone = result_of(Sees(CORNER), scenes, border=0)
    assert (object_alone['gap'], object_alone['changed']) == (0, 0)
    assert abs(background_alone['gap']) < 25 < background_alone['changed']


def test_images_that_the_model_is_asked_about_are_those_of_the_functions():
    model, scenes = Sees(OBJECT), Scenes([0, 1], [0, 255])
    seen = shown(model, scenes)
    model.asked.clear()
    BackgroundSwapMetric().evaluate_batch(model, seen)
    objects = seen.masks.mask.any(1)
    other, grey, removed = model.asked  # no two are of one class
    torch.testing.assert_close(
        other,
        swap_background(
            seen.inputs, objects, seen.inputs.flip(0), objects.flip(0), 2.0
        ),
    )
    torch.testing.assert_close(
        grey,
        swap_background(
            seen.inputs,
            objects,
            torch.full_like(seen.inputs, 28 / 50),
            torch.zeros_like(objects),
            2.0,
        ),
    )
    torch.testing.assert_close(removed, without_object(seen.inputs, objects, 2.0))


def test_harmonic_accuracy_counts_each_class_equally():
    # a dark background for the only one of class 0, and bright ones for three of four
    scenes = Scenes([0, 1, 1, 1, 1], [0, 255, 255, 255, 0])
    model = Sees(CORNER)
    metric = BackgroundSwapMetric(border=0, conditions=['other_class'])
    rows = metric.evaluate_batch(model, shown(model, scenes))
    measured = metric.compute_metrics(rows)
    original = (100 + 75) / 2
    swapped = 100 * rows[0]['other_class'] / 2  # class 1 gets the dark background
    assert measured['original'] == 80
    assert measured['harmonic_accuracy'] == pytest.approx(
        2 * original * swapped / (original + swapped)
    )


def test_harmonic_accuracy_is_that_of_the_plain_function():
    scenes = Scenes([0, 1, 1], [0, 255, 255])
    model = Sees(CORNER)
    model.scale = nn.Parameter(torch.ones(()))
    seen = shown(model, scenes)

    def logits(images):
        return F.one_hot(torch.stack([s.pred_label for s in model(images)])[:, 0], 2)

    plain = swap_accuracy(
        model,
        [(seen.inputs, torch.tensor([0, 1, 1]), seen.masks.mask[:, 0])],
        border=0,
        forward=logits,
    )
    metric = BackgroundSwapMetric(border=0, hole='box', conditions=['other_class'])
    measured = metric.compute_metrics(metric.evaluate_batch(model, seen))
    assert 100 * plain.harmonic == pytest.approx(measured['harmonic_accuracy'])


def test_only_the_conditions_asked_for_are_run():
    model, scenes = Sees(OBJECT), Scenes(*TIED)
    seen = shown(model, scenes)
    model.asked.clear()
    metric = BackgroundSwapMetric(conditions=['other_class'])
    measured = metric.compute_metrics(metric.evaluate_batch(model, seen))
    assert len(model.asked) == 1
    assert list(measured) == [
        'original',
        'other_class',
        'changed',
        'harmonic_accuracy',
        'images',
        'fair',
    ]


class Edited(Scenes):
    """``edit`` changes the data sample of image 1."""

    def __init__(self, *args, edit):
        super().__init__(*args)
        self.edit = edit

    def __getitem__(self, index):
        packed = super().__getitem__(index)
        if index == 1:
            self.edit(packed['data_samples'])
        return packed


@pytest.mark.parametrize(('hole', 'expected'), [('mask', 200), ('box', 255)])
def test_hole_is_the_mask_or_the_box_around_it(hole, expected):
    def lacks_its_middle(sample):
        sample.activation_mask[6:10, 6:10] = 0

    scenes = Edited([0, 1], [0, 255], edit=lacks_its_middle)
    model = Sees(OBJECT)
    seen = shown(model, scenes, [0])
    seen.masks.mask[:, :, 7:9, 7:9] = 0  # what is behind the object shows here
    metric = BackgroundSwapMetric(border=0, hole=hole, conditions=['other_class'])
    metric.evaluate_batch(model, seen)
    shows = 50 * model.asked[-1][0, 0, OBJECT, OBJECT].item() + 100
    assert shows == pytest.approx(expected)


def covered(sample):
    sample.activation_mask[:] = 1


def ignored(sample):
    sample.set_field(1 - sample.activation_mask, 'ignore_mask')


@pytest.mark.parametrize('edit', [covered, ignored])
def test_image_without_a_background_neither_gets_nor_gives_one(edit):
    scenes = Edited([0, 1, 1], [0, 0, 255], edit=edit)
    model = Sees(CORNER)
    rows = BackgroundSwapMetric(border=0).evaluate_batch(model, shown(model, scenes))
    assert rows[1] is None
    assert rows[0]['other_class'] is False  # the bright background of image 2


def test_condition_that_an_image_cannot_have_is_left_out_of_its_mean():
    # the only one of class 0 has no other background of its class
    model = Sees(CORNER)
    metric = BackgroundSwapMetric(border=0)
    rows = metric.evaluate_batch(model, shown(model, Scenes([0, 1, 1], [255, 255, 0])))
    assert 'same_class' not in rows[0] and 'other_class' in rows[0]
    assert rows[0]['original'] is False
    # the two of class 1 change backgrounds, and the second gets a bright one
    assert metric.compute_metrics(rows)['same_class'] == 50


def test_one_class_alone_has_no_gap():
    measured = result_of(Sees(CORNER), Scenes([1, 1], [255, 255]))
    assert not {'other_class', 'gap', 'changed'} & set(measured)


def test_images_without_a_mask_are_neither_predicted_nor_backgrounds():
    scenes = Scenes([0, 0, 0, 1, 1, 1], [0, 0, 0, 255, 255, 255], unguided=(0, 4, 5))
    model = Sees(CORNER)
    metric = BackgroundSwapMetric(border=0)
    rows = metric.evaluate_batch(model, shown(model, scenes))
    assert [i for i, row in enumerate(rows) if row is None] == [0, 4, 5]
    assert 'same_class' not in rows[3]
    assert metric.compute_metrics(rows)['images'] == 3


def test_an_image_without_a_mask_is_loaded_once_however_many_ask():
    scenes = Scenes([0] * 8 + [1] * 8, [0] * 8 + [255] * 8, unguided=range(8, 16))
    model = Sees(CORNER)
    seen = shown(model, scenes)
    scenes.loaded.clear()
    BackgroundSwapMetric().evaluate_batch(model, seen)
    assert sorted(i for i in scenes.loaded if i >= 8) == list(range(8, 16))


def test_data_set_without_masks_measures_nothing():
    model, scenes = Sees(CORNER), Scenes([0, 1], [0, 0], unguided=(0, 1))
    assert result_of(model, scenes) == dict(images=0, fair=1)
    seen = shown(model, scenes)
    assert BackgroundSwapMetric().evaluate_batch(
        model, EvalBatch(seen.images, seen.inputs, None, seen.samples, scenes)
    ) == [None, None]


@pytest.mark.parametrize(
    ('conditions', 'scenes', 'message'),
    [
        (
            ['no_object'],
            Scenes([0, 1], [0, 0], unguided=(0, 1)),
            'no image has a mask .* '
            'LoadActivationMask .*val_dataloader.dataset.pipeline',
        ),
        (
            ['other_class'],
            Scenes([1, 1], [0, 255]),
            "condition 'other_class': the 2 images "
            r'with a mask have the labels \[\[1\]\]. Load masks of some images of each',
        ),
        (
            ['other_class'],
            Scenes([0, 1, 1], [0, 255, 255], unguided=(0,)),
            'other_class',
        ),
        (
            ['no_object', 'same_class'],
            Scenes([0, 1], [0, 255]),
            "condition 'same_class'",
        ),
    ],
)
def test_condition_asked_for_that_no_image_can_have_is_an_error(
    conditions, scenes, message
):
    with pytest.raises(ValueError, match=message):
        result_of(Sees(CORNER), scenes, conditions=conditions)


def test_unknown_conditions_and_holes_are_errors():
    with pytest.raises(ValueError, match="`conditions` must be one of .* got 'other'"):
        BackgroundSwapMetric(conditions=['other'])
    with pytest.raises(ValueError, match='`hole` must be one of'):
        BackgroundSwapMetric(hole='outline')


def test_any_cut_into_batches_and_ranks_gives_the_same():
    rng = np.random.default_rng(0)
    labels, bright = rng.integers(0, 2, (2, 30)).tolist()
    scenes = Scenes(labels, [255 * b for b in bright], unguided=(3, 9))
    model = Sees(CORNER)
    whole = BackgroundSwapMetric().evaluate_batch(model, shown(model, scenes))
    ranks = [BackgroundSwapMetric() for _ in range(3)]
    rows = [None] * 30
    for rank, metric in enumerate(ranks):
        for start in range(rank, 30, 6):
            indices = [start, start + 3]
            for index, row in zip(
                indices, metric.evaluate_batch(model, shown(model, scenes, indices))
            ):
                rows[index] = row
    assert rows == whole


class OtherSize(Scenes):
    """The image 1 has another size, and its left half is its object."""

    def __getitem__(self, index):
        packed = super().__getitem__(index)
        if index == 1:
            packed['inputs'] = torch.full((3, 8, 24), 255, dtype=torch.uint8)
            packed['inputs'][..., :12] = 0
            packed['data_samples'].activation_mask = np.ones((8, 24), np.uint8)
            packed['data_samples'].activation_mask[:, 12:] = 0
        return packed


def test_other_image_of_another_size_is_brought_to_ours():
    model, scenes = Sees(CORNER), OtherSize([0, 1], [0, 255])
    (row,) = BackgroundSwapMetric(border=0).evaluate_batch(
        model, shown(model, scenes, [0])
    )
    assert row['other_class'] is False  # bright
    _, other, *_ = model.asked
    assert other.shape == (1, 3, SIZE, SIZE)
    # the other object, which covers the corner, is filled by its background of 255
    assert other[0, :, CORNER, CORNER].tolist() == pytest.approx([3.1] * 3, rel=0.01)


def test_model_trained_by_swapping_is_marked_and_warned_about_once(monkeypatch):
    said = []
    monkeypatch.setattr(
        'cfcn_plugin.mm.evaluation.background_swap_metric.print_log',
        lambda message, *args, **kwargs: said.append(message),
    )
    augments = dict(
        augments=[dict(type='BackgroundSwap'), dict(type='Mixup', alpha=1.0)]
    )
    model, scenes = Sees(OBJECT, augments), Scenes(*TIED)
    metric = BackgroundSwapMetric()
    for _ in range(2):
        rows = metric.evaluate_batch(model, shown(model, scenes))
    assert metric.compute_metrics(rows)['fair'] == 0
    assert len(said) == 1 and 'swap/fair is 0' in said[0]


@pytest.mark.parametrize(('prob', 'fair'), [(0.0, 1), (0.1, 0)])
def test_swap_that_is_never_drawn_leaves_the_test_fair(prob, fair):
    augments = dict(augments=dict(type='BackgroundSwap', prob=prob))
    model, scenes = Sees(OBJECT, augments), Scenes(*TIED)
    metric = BackgroundSwapMetric(conditions=['no_background'])
    rows = metric.evaluate_batch(model, shown(model, scenes))
    assert metric.compute_metrics(rows)['fair'] == fair


def test_wrong_border_is_an_error():
    with pytest.raises(ValueError, match='`border` must be >= 0, got -1'):
        METRICS.build(dict(type='BackgroundSwapMetric', border=-1))
