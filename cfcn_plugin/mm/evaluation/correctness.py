"""Whether predictions are right, and how many are."""
from collections import defaultdict

import torch
from torch import Tensor, nn


def right_answers(model: nn.Module, inputs: Tensor, samples: list) -> list[bool]:
    """Whether each image's predicted label is its true one.

    Of several labels, whether all are right: exactly the true ones are predicted.

    Args:
        model: A classifier of mmpretrain.
        inputs: (B, 3, H, W), preprocessed.
        samples: B data samples with ``gt_label``.
    """
    return [
        is_right(predicted, sample)
        for predicted, sample in zip(model(inputs, mode='predict'), samples)
    ]


def is_right(predicted, sample) -> bool:
    """Whether exactly the true labels are predicted, of one data sample each."""
    return labels_of(predicted.pred_label) == labels_of(sample.gt_label)


def labels_of(labels) -> frozenset[int]:
    """A sample's labels, given as a number, a list, an array or a tensor."""
    return frozenset(torch.as_tensor(labels).flatten().tolist())


def accuracies(results: list[dict]) -> dict[str, float]:
    """Right answers in percent under each condition, over those that have it.

    Args:
        results: Each image's ``{condition: whether it was right}``.
    """
    answers = defaultdict(list)
    for row in results:
        for name, right in row.items():
            answers[name].append(right)
    return {name: 100 * sum(a) / len(a) for name, a in answers.items()}


def class_mean_accuracy(results: list[dict], name: str) -> float:
    """The mean over classes of the right answers of a class in percent.

    Args:
        results: Each image's ``{'labels': its labels, name: whether it was right}``.
            An image of several labels counts in each of its classes.
        name: The condition.
    """
    classes = accuracies([dict.fromkeys(row['labels'], row[name]) for row in results])
    return sum(classes.values()) / len(classes)


def with_mean_and_worst(values: dict[str, float]) -> dict[str, float]:
    """The values, their ``mean``, and the least of them as ``worst``."""
    return {**values, 'mean': sum(values.values()) / len(values),
            'worst': min(values.values())}
