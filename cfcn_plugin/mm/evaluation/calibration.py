"""Whether a model is as sure as it is right."""

import torch
from torch import Tensor

from cfcn_plugin.options import check_whole

from .score_metric import ScoreMetric

ROUNDING = 1e-2  # how far from 1 probabilities in half precision may sum


class Calibration(ScoreMetric):
    """Expected calibration error and two proper scores of predicted probabilities.

    Adds ``calibration/ece``, in percentage points: the mean distance of confidence and
    accuracy, over equal bins of the confidence (Guo et al. 2017). And
    ``calibration/brier``: the mean over images of the squared distance of the
    probabilities from the one-hot label, in [0, 2] (Brier 1950). And
    ``calibration/nll``: the mean of minus the logarithm of the probability of what is
    true, which is the class loss of the test, >= 0, in nats; probabilities are cut at
    float32's epsilon, so that one sure and wrong answer counts 15.9.

    With several labels each class of each image is an answer of its own: bins are of
    the probability that the image has the label, and ``brier``, in [0, 1], and
    ``nll`` are means over answers.

    Args:
        bins: How many bins, >= 1 (15 in Guo et al.).
        multi_label: Whether an image has several labels.
        **kwargs: As in every mmengine metric.
    """

    default_prefix = 'calibration'

    def __init__(self, bins: int = 15, multi_label: bool = False, **kwargs):
        super().__init__(multi_label, **kwargs)
        check_whole('bins', bins, least=1)
        self.bins = bins

    def check_score(self, score: Tensor, name: str) -> None:
        # torchmetrics would take them for logits, silently
        if not ((score >= 0) & (score <= 1)).all():
            wrong = 'are not in [0, 1]'
        elif not self.multi_label and abs(score.sum().item() - 1) > ROUNDING:
            wrong = f'sum to {score.sum().item():.3g}, not to 1'
        else:
            return
        raise ValueError(
            f'{name} are no probabilities: they {wrong}; with several '
            'labels an image, set `multi_label=True`'
        )

    def compute_scores(self, score: Tensor, truth: Tensor) -> dict[str, float]:
        from torchmetrics.functional import classification  # slow to import

        squares = (score - truth).square()
        if self.multi_label:
            ece = classification.binary_calibration_error(
                score.flatten(), truth.flatten(), n_bins=self.bins
            )
            brier, right = squares.mean(), torch.where(truth > 0, score, 1 - score)
        else:
            ece = classification.multiclass_calibration_error(
                score, truth.argmax(1), num_classes=score.shape[1], n_bins=self.bins
            )
            brier, right = squares.sum(1).mean(), (score * truth).sum(1)
        nll = -right.clamp(min=torch.finfo(torch.float32).eps).log().mean()
        return dict(ece=100 * ece.item(), brier=brier.item(), nll=nll.item())
