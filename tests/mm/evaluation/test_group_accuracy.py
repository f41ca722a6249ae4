"""Accuracy of groups, the mean and the worst."""

import pytest
import torch

from cfcn_plugin.mm.evaluation import GroupAccuracy


def sample(group, label, scores=None, predicted=None):
    given = dict(group=group, gt_label=torch.tensor([label]), img_path='a.jpg')
    if scores is not None:
        given['pred_score'] = torch.tensor(scores)
    if predicted is not None:
        given['pred_label'] = torch.tensor([predicted])
    return given


SAMPLES = [
    sample('land-land', 0, [0.9, 0.1]),
    sample('land-land', 0, [0.8, 0.2]),
    sample('land-land', 0, [0.3, 0.7]),
    sample('land-land', 0, [0.6, 0.4]),
    sample('water-land', 1, [0.6, 0.4]),
    sample('water-land', 1, [0.1, 0.9]),
]
EXPECTED = {
    'group/land-land': 75,
    'group/water-land': 50,
    'group/mean': 62.5,
    'group/worst': 50,
}


def result_of(samples):
    metric = GroupAccuracy()
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_of_several_labels_exactly_the_true_ones_count():
    samples = [
        dict(
            group='a',
            gt_label=torch.tensor([0, 2]),
            img_path='a.jpg',
            pred_score=torch.tensor([0.9, 0.1, 0.8]),
            pred_label=predicted,
        )
        for predicted in (
            torch.tensor([0, 2]),
            torch.tensor([0]),
            torch.tensor([2, 0]),
            torch.tensor([0, 1, 2]),
        )
    ]
    assert result_of(samples)['group/a'] == 50


def test_each_group_the_mean_of_groups_and_the_worst():
    assert result_of(SAMPLES) == EXPECTED


def test_the_order_of_images_does_not_matter():
    assert list(result_of(SAMPLES[::-1]).items()) == list(EXPECTED.items())


def test_one_group_is_mean_and_worst():
    assert result_of(SAMPLES[:4]) == {
        'group/land-land': 75,
        'group/mean': 75,
        'group/worst': 75,
    }


def test_prediction_without_scores_is_read_from_the_label():
    assert (
        result_of([sample('a', 1, predicted=1), sample('a', 1, predicted=0)])['group/a']
        == 50
    )


def test_results_of_shards_join_to_the_same_numbers():
    shards = [GroupAccuracy() for _ in range(3)]
    for index, shard in enumerate(shards):
        shard.process({}, SAMPLES[index::3])
    joined = shards[0].compute_metrics(sum((s.results for s in shards), []))
    assert {f'group/{k}': v for k, v in joined.items()} == EXPECTED


def test_image_without_a_group_is_an_error_naming_it():
    lost = sample('a', 0, [1.0, 0.0])
    del lost['group']
    with pytest.raises(ValueError, match="'a.jpg' has no `group`.*PackGuidedInputs"):
        GroupAccuracy().process({}, [lost])


@pytest.mark.parametrize('name', ['mean', 'worst'])
def test_a_group_named_like_a_summary_is_refused(name):
    metric = GroupAccuracy()
    metric.process({}, [sample(name, 0, [0.9, 0.1])])
    with pytest.raises(ValueError, match=f"called .'{name}'.*rename"):
        metric.evaluate(1)
