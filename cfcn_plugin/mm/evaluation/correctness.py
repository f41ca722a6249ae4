"""Whether predictions are right, and how many are."""

import torch
from torch import Tensor, nn

from .computed import ALONE, computed


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
    """Right answers in percent under each condition, over those that have it; their
    ``mean``, and the ``worst``.

    Args:
        results: Each image's ``{condition: whether it was right}``.
    """
    from cfcn_plugin.metrics import GroupAccuracy  # slow to import

    answers = [pair for row in results for pair in row.items()]
    names = list(dict.fromkeys(name for name, _ in answers))
    metric = GroupAccuracy(names, **ALONE).set_dtype(torch.float64)
    right = torch.tensor([right for _, right in answers], dtype=torch.long)
    metric.update(
        right,
        torch.ones_like(right),
        torch.tensor([names.index(name) for name, _ in answers]),
    )
    return computed(metric)
