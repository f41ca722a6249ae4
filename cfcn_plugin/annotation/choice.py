"""Nested choices of the images to mask next: by variety, or by a score."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cfcn_plugin.masks import guidance_rank
from cfcn_plugin.options import check_whole

TRIALS = 10  # a constant: a number that grows with the count would break the nesting
Images = Sequence[tuple[str, object]]  # key and label; a label may be a list of labels


class Chosen(NamedTuple):
    """An image to mask.

    Attributes:
        index: Its index among all images.
        reason: Why it was chosen, for people.
        mask: (h, w) uint8 {0, 1}, the part that is the reason; None without one.
    """

    index: int
    reason: str
    mask: np.ndarray | None = None


def choose_by_coverage(
    images: Images,
    features: np.ndarray,
    count: int,
    seed: int = 0,
    per_class: bool = False,
) -> list[Chosen]:
    """Images that together represent the variety of each class.

    The seeding of k-means++ in its greedy form: each next image is the one of ten
    candidates that lowers the sum of squared distances to the nearest chosen image
    most, and a candidate is drawn by its own squared distance (Arthur and
    Vassilvitskii, SODA 2007). So it is a greedy k-medoids on candidates.

    Args:
        images: All images.
        features: (N, F) float, a row for each image.
        count: Number of images, >= 1, shared out in proportion to the sizes of classes
            (images with several labels count as one class); with ``per_class``, of
            each class. A smaller choice is a part of a larger one.
        seed: Of the draws.
        per_class: Whether ``count`` is for each class.

    Raises:
        ImportError: scikit-learn is missing.
        ValueError: There are too few images, or features are not finite.
    """
    try:
        from sklearn.cluster import kmeans_plusplus
        from sklearn.metrics import pairwise_distances_argmin
    except ImportError as error:
        raise ImportError(
            'a choice by coverage needs scikit-learn: pip install '
            "'cfcn_plugin[experiments]'"
        ) from error
    _check_finite('features', features)

    def order(members: np.ndarray, amount: int) -> Iterable[tuple[int, str]]:
        rows = features[members]
        # equal ones once: k-means++ would draw the same place again
        first = np.sort(np.unique(rows, axis=0, return_index=True)[1])
        _, drawn = kmeans_plusplus(
            rows[first],
            min(amount, len(first)),
            random_state=seed % 2**32,
            n_local_trials=TRIALS,
        )
        places = list(dict.fromkeys([*first[drawn], *range(len(rows))]))[:amount]
        nearest = pairwise_distances_argmin(rows, rows[places])
        sizes = np.bincount(nearest, minlength=len(places))
        for place, size in zip(places, sizes):
            yield members[place], f'stands for {size} of {len(rows)} images'

    return _choose(images, count, seed, per_class, order)


def choose_by_score(
    images: Images,
    scores: np.ndarray,
    reasons: Sequence[str],
    count: int,
    seed: int = 0,
    per_class: bool = False,
) -> list[Chosen]:
    """The images of the highest scores.

    Args:
        images, count, per_class: As in :func:`choose_by_coverage`.
        scores: (N,) float.
        reasons: A text for each image.
        seed: Decides between equal scores.

    Raises:
        ValueError: There are too few images, or scores are not finite.
    """
    _check_finite('scores', scores)

    def order(members: np.ndarray, amount: int) -> Iterable[tuple[int, str]]:
        best = np.argsort(-scores[members], kind='stable')[:amount]
        return [(index, reasons[index]) for index in members[best]]

    return _choose(images, count, seed, per_class, order)


def check_count(images: Images, count: int, per_class: bool = False) -> None:
    """Check that there are enough images, before a model looks at them.

    Args:
        images, count, per_class: As in :func:`choose_by_coverage`.

    Raises:
        ValueError: ``count`` is below 1, or there are too few images.
    """
    _amounts(_classes(images, per_class), count, per_class)


def _choose(
    images: Images, count: int, seed: int, per_class: bool, order: Callable
) -> list[Chosen]:
    """The first images of each class, by ``order(members, amount)``; the best first.

    Members come in the order of the seed's hash, whatever the order of the data set.
    """
    classes = _classes(images, per_class)
    chosen = {}
    for label, amount in _amounts(classes, count, per_class).items():
        members = sorted(
            classes[label], key=lambda index: guidance_rank(images[index][0], seed)
        )
        for index, reason in order(np.array(members), amount):
            chosen.setdefault(int(index), reason)
    return [Chosen(*pair) for pair in chosen.items()]


def _classes(images: Images, per_class: bool) -> dict[object, list[int]]:
    several = any(isinstance(label, list | tuple) for _, label in images)
    classes = defaultdict(list)
    for index, (_, label) in enumerate(images):
        labels = label if isinstance(label, list | tuple) else [label]
        for one in labels if per_class or not several else ['all']:
            classes[one].append(index)
    return classes


def _amounts(classes: dict, count: int, per_class: bool) -> Counter:
    """{class: number of images}; each number grows with ``count``."""
    check_whole('n', count, least=1)
    sizes = {label: len(members) for label, members in classes.items()}
    for label, size in (sizes if per_class else dict(all=sum(sizes.values()))).items():
        if size < count:
            of = f'class {label}' if per_class else 'the training set'
            raise ValueError(f'{count} images are asked for, and {of} has {size}')
    if per_class:
        return Counter(dict.fromkeys(sizes, count))
    places = sorted(
        (
            ((rank + 0.5) / size, str(label), label)
            for label, size in sizes.items()
            for rank in range(size)
        ),
        key=lambda place: place[:2],
    )
    return Counter(label for *_, label in places[:count])


def _check_finite(name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise ValueError(
            f'`{name}` must be finite: the images or the weights of the '
            'model are damaged'
        )
