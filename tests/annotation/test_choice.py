"""The choice of images to mask next: nested, by class, the same each time."""

import numpy as np
import pytest

from cfcn_plugin.annotation.choice import choose_by_coverage, choose_by_score

RNG = np.random.default_rng(0)
# two classes in a proportion of 3 to 1
IMAGES = [(f'{number}.jpg', int(number % 4 == 0)) for number in range(40)]
FEATURES = RNG.normal(size=(40, 8)).astype(np.float32)
SCORES = RNG.normal(size=40)


def coverage(count, seed=0, images=IMAGES, features=FEATURES, **options):
    return choose_by_coverage(images, features, count, seed, **options)


def score(count, seed=0, images=IMAGES, scores=SCORES, **options):
    return choose_by_score(
        images, scores, ['why'] * len(images), count, seed, **options
    )


def indices(chosen):
    return {one.index for one in chosen}


@pytest.mark.parametrize('choose', [coverage, score])
@pytest.mark.parametrize('per_class', [False, True])
def test_a_smaller_choice_is_a_part_of_a_larger_one(choose, per_class):
    last = set()
    for count in range(1, 11 if per_class else 41):
        now = indices(choose(count, per_class=per_class))
        assert last < now and len(now) == count * (2 if per_class else 1)
        last = now


@pytest.mark.parametrize('choose', [coverage, score])
def test_images_are_shared_out_as_the_classes_are(choose):
    for count in (4, 8, 12, 40):
        chosen = [IMAGES[index][1] for index in indices(choose(count))]
        assert sum(chosen) == count // 4


@pytest.mark.parametrize('choose', [coverage, score])
def test_order_of_the_data_set_changes_nothing(choose):
    order = RNG.permutation(40)
    moved = choose(
        10,
        images=[IMAGES[i] for i in order],
        **(
            dict(features=FEATURES[order])
            if choose is coverage
            else dict(scores=SCORES[order])
        ),
    )
    assert {int(order[one.index]) for one in moved} == indices(choose(10))


@pytest.mark.parametrize('choose', [coverage, score])
def test_impossible_counts_are_named(choose):
    with pytest.raises(ValueError, match='at least 1, got 0'):
        choose(0)
    with pytest.raises(ValueError, match='41 images .* training set has 40'):
        choose(41)
    with pytest.raises(ValueError, match='11 images .* class 1 has 10'):
        choose(11, per_class=True)


def test_one_image_of_each_cluster_comes_before_a_second_of_any():
    clusters = np.repeat(np.eye(5, 8, dtype=np.float32) * 100, 8, 0)
    images = [(str(number), 0) for number in range(40)]
    for seed in range(5):
        chosen = coverage(5, seed, images, clusters + FEATURES / 100)
        assert sorted(index // 8 for index in indices(chosen)) == [0, 1, 2, 3, 4]
        assert {one.reason for one in chosen} == {'stands for 8 of 40 images'}
    assert indices(coverage(5, 0)) != indices(coverage(5, 1))


def test_coverage_beats_chance():
    def distance(chosen):
        gaps = FEATURES[:, None] - FEATURES[None, sorted(chosen)]
        return (gaps**2).sum(-1).min(1).sum()

    images = [(name, 0) for name, _ in IMAGES]
    chance = [distance(RNG.permutation(40)[:8]) for _ in range(50)]
    found = [distance(indices(coverage(8, seed, images))) for seed in range(5)]
    assert max(found) < np.mean(chance)


def test_equal_images_fill_up_at_the_end():
    images, features = IMAGES[:6], np.repeat(FEATURES[:2], 3, 0)
    images = [(name, 0) for name, _ in images]
    assert {i // 3 for i in indices(coverage(2, 0, images, features))} == {0, 1}
    assert len(indices(coverage(6, 0, images, features))) == 6


def test_highest_scores_come_first_in_each_class():
    chosen = score(8)
    for label in (0, 1):
        own = [i for i in range(40) if IMAGES[i][1] == label]
        best = sorted(own, key=lambda i: -SCORES[i])
        found = [one.index for one in chosen if IMAGES[one.index][1] == label]
        assert found == best[: len(found)]


def test_images_with_several_labels_count_for_each():
    images = [('a', [0, 1]), ('b', [0]), ('c', [1]), ('d', [2, 1])]
    scores = np.array([3.0, 1.0, 2.0, 0.0])
    assert indices(score(1, 0, images, scores, per_class=True)) == {0, 3}
    assert indices(score(2, 0, images, scores)) == {0, 2}


def test_values_that_are_not_finite_are_told():
    with pytest.raises(ValueError, match='`scores` must be finite'):
        score(2, scores=SCORES * np.nan)
    with pytest.raises(ValueError, match='`features` must be finite'):
        coverage(2, features=FEATURES * np.inf)
