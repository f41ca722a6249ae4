"""Metrics of torchmetrics: by hand, equal in mm, and over two processes."""

import pytest
import torch
from gloo_processes import run_in_processes
from torch import nn

from cfcn_plugin import FeatureHook, Guide, MaskBatch, metrics
from cfcn_plugin.functional.localization import localization
from cfcn_plugin.guidance import CausalFocusLoss, guided_saliency
from cfcn_plugin.metrics import answers_on_swapped

GUIDED = torch.tensor([True, True, False, True])


def saliency_and_masks():
    generator = torch.Generator().manual_seed(0)
    saliency = torch.rand(4, 4, 4, generator=generator)
    saliency[3] = 0
    mask = (torch.rand(4, 1, 8, 8, generator=generator) > 0.6).byte()
    ignore = torch.zeros(4, 8, 8, dtype=torch.bool)
    ignore[1, :2] = True
    return saliency, MaskBatch(mask, ignore, GUIDED)


def part(saliency, masks, rows):
    return saliency[rows], MaskBatch(
        masks.mask[rows], masks.ignore[rows], masks.guided[rows]
    )


# ---- localisation ----------------------------------------------------------------


def test_localization_is_the_mean_of_the_function_over_guided_images():
    saliency, masks = saliency_and_masks()
    metric = metrics.Localization()
    for rows in (slice(0, 1), slice(1, 4)):
        metric.update(*part(saliency, masks, rows))
    found = metric.compute()
    for name, values in localization(saliency, masks.mask[:, 0], masks.ignore).items():
        torch.testing.assert_close(found[name], values[GUIDED].mean())
    assert (found['guided'], found['unguided']) == (3, 1)
    assert found['dead'] == pytest.approx(1 / 3)


def test_without_guided_images_there_are_counts_alone():
    saliency, masks = saliency_and_masks()
    metric = metrics.Localization()
    metric.update(*part(saliency, masks, slice(2, 3)))
    assert metric.compute() == dict(guided=0, unguided=1)


def test_localization_takes_the_map_that_guidance_trains():
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    guide = Guide(net, CausalFocusLoss(), FeatureHook('0'))
    images, (_, masks) = torch.rand(4, 3, 8, 8), saliency_and_masks()
    with torch.no_grad(), guide:
        logits = net(images)
    with torch.no_grad():
        step = guide.batch(images, logits, torch.zeros(4, dtype=torch.long), masks)
    metric = metrics.Localization()
    metric.update(*guided_saliency(step))
    expected = localization(
        net[0](images).relu().mean(1), masks.mask[:, 0], masks.ignore
    )
    torch.testing.assert_close(
        metric.compute()['energy'], expected['energy'][GUIDED].mean()
    )


@pytest.mark.parametrize(
    'wrong,message',
    [
        (torch.zeros(4, 1, 4, 4), r'must have shape \(4, h, w\).* got \(4, 1, 4, 4\)'),
        (torch.zeros(3, 4, 4), r'got \(3, 4, 4\)'),
        (torch.full((4, 4, 4), torch.nan), r'NaN or infinite values, in images \[0, 1'),
    ],
)
def test_what_is_no_saliency_map_is_told(wrong, message):
    with pytest.raises(ValueError, match=message):
        metrics.Localization().update(wrong, saliency_and_masks()[1])


# ---- groups ----------------------------------------------------------------------


def test_each_group_the_mean_of_groups_and_the_worst():
    metric = metrics.GroupAccuracy(['a', 'b', 'empty'])
    metric.update(
        torch.tensor([[2.0, 1], [0, 1], [2, 1], [1, 0]]),
        torch.tensor([0, 0, 0, 0]),
        torch.tensor([0, 1, 1, 0]),
    )
    metric.update(torch.tensor([1, 1]), torch.tensor([0, 1]), torch.tensor([0, 1]))
    assert {name: value.item() for name, value in metric.compute().items()} == (
        pytest.approx(dict(a=200 / 3, b=200 / 3, mean=200 / 3, worst=200 / 3))
    )
    metric.reset()
    with pytest.raises(ValueError, match='got no images'):
        metric.compute()


@pytest.mark.parametrize(
    'group,message',
    [
        (
            torch.tensor([0, 2]),
            r"from 0 to 1, for the groups \['a', 'b'\], got \[0, 2\]",
        ),
        (torch.tensor([-1, 0]), r'from 0 to 1'),
        (torch.tensor([0.5, 1]), r'must be \(2,\) int64, got \(2,\) torch.float32'),
        (torch.tensor([0]), r'must be \(2,\) int64, got \(1,\)'),
    ],
)
def test_a_group_that_is_not_there_is_told(group, message):
    labels = torch.tensor([0, 1])
    with pytest.raises(ValueError, match=message):
        metrics.GroupAccuracy(['a', 'b']).update(labels, labels, group)


@pytest.mark.parametrize(
    'groups,message',
    [(['a', 'worst'], r"called \['worst'\].*rename"), (['a', 'a'], 'must differ')],
)
def test_names_of_groups_say_one_thing(groups, message):
    with pytest.raises(ValueError, match=message):
        metrics.GroupAccuracy(groups)


# ---- other backgrounds -----------------------------------------------------------

LABELS = torch.tensor([0, 1, 0, 1, 1])


class Sees(nn.Module):
    """Answers class 1 where a pixel is positive."""

    def __init__(self, pixel):
        super().__init__()
        self.pixel = pixel

    def forward(self, images):
        assert not self.training
        value = images[:, 0, self.pixel, self.pixel]
        return dict(logits=torch.stack([-value, value], 1))


def scenes():
    """Objects of -1 or 1 by label on backgrounds of the same; image 3 is unguided."""
    mask = torch.zeros(5, 1, 16, 16, dtype=torch.uint8)
    mask[..., 4:8, 4:8] = 1
    images = (2.0 * LABELS - 1).view(-1, 1, 1, 1).expand(-1, 3, 16, 16).clone()
    return images, LABELS, MaskBatch(mask, None, torch.arange(5) != 3)


def swap_result(pixel, **options):
    images, labels, masks = scenes()
    metric = metrics.BackgroundSwapAccuracy(num_classes=2)
    model = Sees(pixel)
    answers = answers_on_swapped(model, images, labels, masks, border=0, **options)
    assert model.training
    metric.update(answers, labels)
    return {name: value.item() for name, value in metric.compute().items()}


def test_a_model_of_the_object_does_not_mind_the_background():
    assert swap_result(6) == dict(
        original=100,
        other_class=100,
        same_class=100,
        no_object=100,
        gap=0,
        changed=0,
        harmonic_accuracy=100,
        images=4,
    )


def test_a_model_of_the_background_is_found_out():
    every = ('other_class', 'same_class', 'no_background', 'no_object')
    assert swap_result(0, conditions=every, grey=0.5) == dict(
        original=100,
        other_class=0,
        same_class=100,
        no_background=50,
        no_object=100,
        gap=100,
        changed=100,
        harmonic_accuracy=0,
        images=4,
    )


def test_unguided_images_have_no_answers_and_lend_no_background():
    images, labels, masks = scenes()
    images[3] = 9
    answers = answers_on_swapped(Sees(0), images, labels, masks, border=0)
    assert all(
        values[3].isnan() and not values[[0, 2]].isnan().any()
        for values in answers.values()
    )
    assert answers['same_class'].nan_to_num(9).tolist() == [1, 1, 1, 9, 1]


def test_of_several_labels_all_must_be_right():
    images, labels, masks = scenes()
    rows = nn.functional.one_hot(labels, 2)
    answers = answers_on_swapped(
        Sees(6), images, rows, masks, ['other_class'], border=0
    )
    metric = metrics.BackgroundSwapAccuracy(2)
    metric.update(answers, rows)
    assert metric.compute()['harmonic_accuracy'] == 100


@pytest.mark.parametrize(
    'option',
    [dict(border=-1), dict(hole='outline'), dict(grey='white'), dict(seed=0.5)],
)
def test_wrong_options_are_told(option):
    with pytest.raises(ValueError, match=f'`{next(iter(option))}` must be'):
        answers_on_swapped(Sees(0), *scenes(), **option)
    with pytest.raises(ValueError, match='`num_classes` must be at least 1'):
        metrics.BackgroundSwapAccuracy(0)


def test_wrong_conditions_are_told():
    with pytest.raises(ValueError, match="`conditions` must be one of .* got 'other'"):
        answers_on_swapped(Sees(0), *scenes(), conditions=['other'])
    with pytest.raises(ValueError, match="`answers` must be one of .* got 'other'"):
        metrics.BackgroundSwapAccuracy(2).update(
            dict(original=torch.ones(5), other=torch.ones(5)), LABELS
        )
    for target, message in (
        (LABELS[:4], '`target` has 4 images, not 5'),
        (torch.zeros(5, 3), r'or \(B, 2\) in {0, 1} for several labels, got'),
        (LABELS + 1, r'whole numbers from 0 to 1, or .* from 1 to 2'),
    ):
        with pytest.raises(ValueError, match=message):
            metrics.BackgroundSwapAccuracy(2).update(
                dict(original=torch.ones(5)), target
            )


def test_a_mask_without_an_object_is_no_mask():
    images, labels, masks = scenes()
    masks.mask[0] = 0
    assert answers_on_swapped(Sees(0), images, labels, masks)['original'][0].isnan()


def test_masks_of_another_shape_and_scores_that_are_nan_are_told():
    images, labels, masks = scenes()
    with pytest.raises(
        ValueError, match=r'`masks.mask` must have shape \(5, K, H, W\)'
    ):
        answers_on_swapped(
            Sees(0), images, labels, MaskBatch(masks.mask[:, 0], None, masks.guided)
        )
    with pytest.raises(ValueError, match='logits are NaN'):
        answers_on_swapped(Sees(0), images * torch.nan, labels, masks)


# ---- two processes, and mm --------------------------------------------------------

GROUPS = torch.tensor([0, 1, 1, 0, 2])
PREDICTED = torch.tensor([0, 1, 1, 1, 0])
ANSWERS = dict(
    original=torch.tensor([1.0, 1, 0, 1, torch.nan]),
    other_class=torch.tensor([0.0, 1, 1, torch.nan, torch.nan]),
    same_class=torch.tensor([1.0, torch.nan, 1, 1, torch.nan]),
    no_object=torch.tensor([0.0, 0, 1, 0, torch.nan]),
)


def of_images(rows, saliency_rows):
    """What each metric says of a part of the images."""
    found = [
        metrics.Localization(),
        metrics.GroupAccuracy(['a', 'b', 'c']),
        metrics.BackgroundSwapAccuracy(2),
    ]
    found[0].update(*part(*saliency_and_masks(), saliency_rows))
    found[1].update(PREDICTED[rows], LABELS[rows], GROUPS[rows])
    found[2].update({name: one[rows] for name, one in ANSWERS.items()}, LABELS[rows])
    return [
        {name: value.item() for name, value in metric.compute().items()}
        for metric in found
    ]


def of_a_rank(rank):
    return of_images([slice(0, 3), slice(3, 5)][rank], [slice(0, 1), slice(1, 4)][rank])


def test_two_processes_join_to_the_numbers_of_all_images_together():
    expected = of_images(slice(None), slice(None))
    for found in run_in_processes(of_a_rank, 2):
        for ours, theirs in zip(found, expected):
            assert list(ours) == list(theirs)
            assert ours == pytest.approx(theirs)


def test_metrics_of_mmengine_have_the_same_numbers():
    pytest.importorskip('mmpretrain')
    from cfcn_plugin.mm import evaluation

    saliency, masks = saliency_and_masks()
    focus, groups, swaps = of_images(slice(None), slice(None))
    values = localization(saliency, masks.mask[:, 0], masks.ignore)
    values['dead'] = (saliency.amax((1, 2)) <= 0).float()
    rows = [
        {name: value[i].item() for name, value in values.items()} if guided else {}
        for i, guided in enumerate(GUIDED)
    ]
    assert evaluation.FocusMetric().compute_metrics(rows) == pytest.approx(focus)
    metric = evaluation.GroupAccuracy()
    metric.process(
        {},
        [
            dict(group='abc'[group], gt_label=label, pred_label=predicted)
            for group, label, predicted in zip(GROUPS, LABELS, PREDICTED)
        ],
    )
    assert metric.compute_metrics(metric.results) == pytest.approx(groups)
    rows = [
        dict(
            labels=(LABELS[i].item(),),
            **{
                name: bool(one[i])
                for name, one in ANSWERS.items()
                if not one[i].isnan()
            },
        )
        for i in range(4)
    ]
    found = evaluation.BackgroundSwapMetric().compute_metrics([*rows, {}])
    assert found == pytest.approx(dict(swaps, fair=1))
