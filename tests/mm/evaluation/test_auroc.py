"""Against scikit-learn, and what has no curve."""

import pytest
import torch
from sklearn.metrics import roc_auc_score

from cfcn_plugin.mm.evaluation import AUROC


def some_scores(images, classes, seed=0):
    """Rounded, so that there are ties."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(images, classes, generator=generator).mul(20).round()
    return (scores + 1) / (scores + 1).sum(1, keepdim=True)


def result_of(samples, classes=None, **options):
    metric = AUROC(**options)
    metric.dataset_meta = dict(classes=classes)
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def one_label(scores, labels):
    return [
        dict(pred_score=s, gt_label=torch.tensor([label]))
        for s, label in zip(scores, labels)
    ]


def several_labels(scores, truth):
    return [
        dict(pred_score=s, gt_label=row.nonzero().flatten(), gt_score=row.float())
        for s, row in zip(scores, truth)
    ]


@pytest.mark.parametrize('classes', [3, 5])
def test_one_label_equals_scikit_learn(classes):
    scores, labels = some_scores(60, classes), torch.arange(60) % classes
    expected = roc_auc_score(labels, scores, multi_class='ovr', average='macro')
    assert result_of(one_label(scores, labels))['auroc/macro'] == pytest.approx(
        100 * expected
    )


def test_two_classes_equal_scikit_learn():
    scores, labels = some_scores(40, 2), torch.arange(40) % 2
    expected = roc_auc_score(labels, scores[:, 1])
    assert result_of(one_label(scores, labels))['auroc/macro'] == pytest.approx(
        100 * expected
    )


@pytest.mark.parametrize('with_scores', [True, False])
def test_several_labels_equal_scikit_learn(with_scores):
    scores = torch.rand(60, 4, generator=torch.Generator().manual_seed(0))
    truth = torch.rand(60, 4, generator=torch.Generator().manual_seed(1)) > 0.7
    samples = several_labels(scores, truth)
    if not with_scores:
        for sample in samples:
            del sample['gt_score']
    expected = roc_auc_score(truth, scores, average='macro')
    assert result_of(samples, multi_label=True)['auroc/macro'] == pytest.approx(
        100 * expected
    )


def test_each_class_by_its_name():
    scores, labels = some_scores(60, 3), torch.arange(60) % 3
    result = result_of(one_label(scores, labels), classes='abc', per_class=True)
    expected = [100 * roc_auc_score(labels == c, scores[:, c]) for c in range(3)]
    assert [result[f'auroc/{name}'] for name in 'abc'] == pytest.approx(expected)
    assert result['auroc/macro'] == pytest.approx(sum(expected) / 3)


def test_classes_without_names_go_by_their_numbers():
    result = result_of(
        one_label(some_scores(9, 3), torch.arange(9) % 3), per_class=True
    )
    assert {'auroc/0', 'auroc/1', 'auroc/2'} <= set(result)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_scores_that_have_no_order_are_an_error(value):
    with pytest.raises(ValueError, match="'a.jpg' is .*no order.*diverged"):
        result_of(
            [
                dict(
                    pred_score=torch.tensor([value, 0.5]),
                    img_path='a.jpg',
                    gt_label=torch.tensor([0]),
                )
            ]
        )


def test_class_without_positives_is_left_out_of_the_mean():
    scores, labels = some_scores(60, 4), torch.tensor([0, 1, 3])[torch.arange(60) % 3]
    result = result_of(one_label(scores, labels), classes='abcd', per_class=True)
    expected = {
        name: 100 * roc_auc_score(labels == c, scores[:, c])
        for c, name in enumerate('abcd')
        if name != 'c'
    }
    assert 'auroc/c' not in result
    assert result['auroc/macro'] == pytest.approx(sum(expected.values()) / 3)
    assert result['auroc/d'] == pytest.approx(expected['d'])


def test_one_class_alone_is_measured():
    scores = torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
    truth = torch.stack([torch.arange(20) % 3 == 0, torch.ones(20, dtype=bool)], 1)
    result = result_of(several_labels(scores, truth), multi_label=True)
    assert result['auroc/macro'] == pytest.approx(
        100 * roc_auc_score(truth[:, 0], scores[:, 0])
    )


@pytest.mark.parametrize('label', [0, 1])
def test_nothing_measurable_is_an_error(label):
    with pytest.raises(ValueError, match='some images have and some do not'):
        result_of(one_label(some_scores(5, 2), torch.full((5,), label)))


def test_perfect_and_reversed_scores_are_the_ends():
    labels = torch.tensor([0, 0, 1, 1])
    scores = torch.nn.functional.one_hot(labels).float()
    assert result_of(one_label(scores, labels))['auroc/macro'] == 100
    assert result_of(one_label(1 - scores, labels))['auroc/macro'] == 0


def test_results_of_shards_join_to_the_same_number():
    samples = one_label(some_scores(50, 3), torch.arange(50) % 3)
    shards = [AUROC() for _ in range(3)]
    for index, shard in enumerate(shards):
        shard.process({}, samples[index::3])
    joined = shards[0].compute_metrics(sum((s.results for s in shards), []))
    assert joined['macro'] == pytest.approx(result_of(samples)['auroc/macro'])
