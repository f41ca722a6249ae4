"""Against scikit-learn, a slow loop, and by hand."""

import math

import pytest
import torch
from mmpretrain.registry import METRICS
from sklearn.metrics import brier_score_loss, log_loss

from cfcn_plugin.mm.evaluation import Calibration


def samples_of(scores, truth):
    return [
        dict(pred_score=s, gt_label=torch.as_tensor(t).reshape(-1), img_path='a.jpg')
        for s, t in zip(scores, truth)
    ]


def result_of(samples, **options):
    metric = Calibration(**options)
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def random_case(images=80, classes=4):
    generator = torch.Generator().manual_seed(0)
    scores = (3 * torch.randn(images, classes, generator=generator)).softmax(1)
    return scores, torch.arange(images) % classes


def slow_ece(confidence, right, bins):
    total = 0
    for index in range(bins):
        inside = [
            i
            for i, c in enumerate(confidence)
            if index / bins <= c < (index + 1) / bins
        ]
        if inside:
            sure = sum(confidence[i] for i in inside) / len(inside)
            accuracy = sum(right[i] for i in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(sure - accuracy)
    return 100 * total


def test_by_hand():
    scores = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    # bins of a half: all four in (0.5, 1]: confidence 0.75, accuracy 0.5
    measured = result_of(samples_of(scores, [0, 1, 1, 0]), bins=2)
    assert measured == pytest.approx(
        {
            'calibration/ece': 25,
            'calibration/brier': 2 * (0.01 + 0.64 + 0.16 + 0.49) / 4,
            'calibration/nll': -math.log(0.9 * 0.2 * 0.6 * 0.3) / 4,
        }
    )


@pytest.mark.parametrize('bins', [1, 10, 15])
def test_ece_is_the_slow_one(bins):
    scores, labels = random_case()
    confidence, predicted = scores.max(1)
    expected = slow_ece(confidence.tolist(), (predicted == labels).tolist(), bins)
    assert result_of(samples_of(scores, labels), bins=bins)[
        'calibration/ece'
    ] == pytest.approx(expected, rel=1e-4)


def test_brier_of_two_classes_is_twice_scikit_learn_s():
    scores, labels = random_case(classes=2)
    expected = brier_score_loss(labels, scores[:, 1])
    assert result_of(samples_of(scores, labels))['calibration/brier'] == pytest.approx(
        2 * expected
    )


def test_nll_is_scikit_learn_s():
    scores, labels = random_case()
    assert result_of(samples_of(scores, labels))['calibration/nll'] == pytest.approx(
        log_loss(labels, scores)
    )


def test_several_labels_are_answers_of_their_own():
    scores = torch.rand(30, 3, generator=torch.Generator().manual_seed(0))
    truth = torch.rand(30, 3, generator=torch.Generator().manual_seed(1)) > 0.6
    samples = samples_of(scores, [row.nonzero().flatten() for row in truth])
    expected = pytest.approx(
        {
            'calibration/ece': slow_ece(
                scores.flatten().tolist(), truth.flatten().tolist(), 15
            ),
            'calibration/brier': brier_score_loss(truth.flatten(), scores.flatten()),
            'calibration/nll': log_loss(truth.flatten(), scores.flatten()),
        },
        rel=1e-4,
    )
    assert result_of(samples, multi_label=True) == expected
    for sample, row in zip(samples, truth):
        sample.update(gt_score=row.float(), gt_label=None)
    assert result_of(samples, multi_label=True) == expected


def test_sure_and_right_is_perfect_and_sure_and_wrong_the_worst():
    scores = torch.eye(2)
    assert result_of(samples_of(scores, [0, 1])) == {
        'calibration/ece': 0,
        'calibration/brier': 0,
        'calibration/nll': 0,
    }
    assert result_of(samples_of(scores, [1, 0])) == {
        'calibration/ece': 100,
        'calibration/brier': 2,
        'calibration/nll': pytest.approx(23 * math.log(2)),
    }


def test_results_of_shards_join_to_the_same_numbers():
    samples = samples_of(*random_case())
    shards = [Calibration() for _ in range(3)]
    for index, shard in enumerate(shards):
        shard.process({}, samples[index::3])
    joined = shards[0].compute_metrics(sum((s.results for s in shards), []))
    assert {f'calibration/{k}': v for k, v in joined.items()} == pytest.approx(
        result_of(samples)
    )


@pytest.mark.parametrize(
    'score,message',
    [
        ([2.0, -1.0], r"'a.jpg' are no probabilities: they are not in \[0, 1\]"),
        ([float('nan'), 0.5], r'not in \[0, 1\]'),
        ([0.9, 0.8], 'sum to 1.7, not to 1; .*`multi_label=True`'),
    ],
)
def test_what_is_no_probability_is_an_error_naming_the_image(score, message):
    with pytest.raises(ValueError, match=message):
        result_of(samples_of(torch.tensor([score]), [0]))


def test_bins_below_1_are_an_error():
    with pytest.raises(ValueError, match='`bins` must be at least 1, got 0'):
        METRICS.build(dict(type='Calibration', bins=0))
