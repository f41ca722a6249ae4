"""Area under the ROC curve."""

import torch
from mmengine.logging import print_log
from torch import Tensor

from cfcn_plugin.options import check_flag

from .score_metric import ScoreMetric


class AUROC(ScoreMetric):
    """Macro area under the ROC curve in percent: the mean over classes, one against
    the rest.

    A class that all images have, or none, has no curve and is left out of the mean,
    with a warning. Adds ``auroc/macro``, and with ``per_class`` ``auroc/NAME``, or its
    number where the data set names no classes.

    Args:
        multi_label: Whether an image has several labels.
        per_class: Whether to report each class.
        **kwargs: As in every mmengine metric.

    Raises:
        ValueError: A score is NaN or infinite, or no class can be measured.
    """

    default_prefix = 'auroc'

    def __init__(self, multi_label: bool = False, per_class: bool = False, **kwargs):
        super().__init__(multi_label, **kwargs)
        check_flag('per_class', per_class)
        self.per_class = per_class

    def check_score(self, score: Tensor, name: str) -> None:
        if not score.isfinite().all():
            raise ValueError(
                f'{name} is {score.tolist()}, which has no order: has the '
                'network diverged?'
            )

    def compute_scores(self, score: Tensor, truth: Tensor) -> dict[str, float]:
        from torchmetrics.functional import classification  # slow to import

        positives = truth.sum(0).tolist()
        indices = [i for i, n in enumerate(positives) if 0 < n < len(truth)]
        if not indices:
            raise ValueError(
                'AUROC needs a class that some images have and some do '
                f'not; images of each class: {positives}'
            )
        left_out = sorted(set(range(len(positives))) - set(indices))
        if left_out:
            print_log(
                f'AUROC leaves out classes {left_out}: all images or none have them',
                'current',
                level=30,
            )
        values = torch.stack(
            [classification.binary_auroc(score[:, i], truth[:, i]) for i in indices]
        )
        metrics = dict(macro=100 * values.mean().item())
        if self.per_class:
            classes = (self.dataset_meta or {}).get('classes') or range(len(positives))
            for index, value in zip(indices, values):
                metrics[str(classes[index])] = 100 * value.item()
        return metrics
