"""Area under the ROC curve."""
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torchmetrics.functional.classification import binary_auroc, multilabel_auroc

from cfcn_plugin.stock import GOES


class AUROC(BaseMetric):
    """Macro area under the ROC curve in percent: the mean over classes, one against
    the rest.

    A class that all images have, or none, has no curve and is left out of the mean,
    with a warning. Adds ``auroc/macro``, and with ``per_class`` ``auroc/NAME``, or its
    number where the data set names no classes.

    Args:
        multi_label: Whether an image has several labels.
        per_class: Whether to report each class.
        collect_device, prefix: As in every mmengine metric.

    Raises:
        ValueError: A score is NaN or infinite, or no class can be measured.
    """
    stock = GOES
    default_prefix = 'auroc'

    def __init__(self,
                 multi_label: bool = False,
                 per_class: bool = False,
                 collect_device: str = 'cpu',
                 prefix: str | None = None):
        super().__init__(collect_device, prefix)
        self.multi_label = multi_label
        self.per_class = per_class

    def process(self, data_batch, data_samples) -> None:
        for sample in data_samples:
            score = sample['pred_score'].detach().cpu().float()
            if not score.isfinite().all():
                raise ValueError(f"image '{sample.get('img_path')}' has the scores "
                                 f'{score.tolist()}, which have no order: has the '
                                 'network diverged?')
            truth = torch.zeros(len(score), dtype=torch.long)
            if self.multi_label and 'gt_score' in sample:
                truth = (sample['gt_score'].cpu() > 0).long()
            else:
                truth[sample['gt_label'].cpu()] = 1
            self.results.append((score, truth))

    def compute_metrics(self, results: list) -> dict[str, float]:
        score = torch.stack([r[0] for r in results])
        truth = torch.stack([r[1] for r in results])
        positives = truth.sum(0)
        measurable = (positives > 0) & (positives < len(truth))
        if not measurable.any():
            raise ValueError('AUROC needs a class that some images have and some do '
                             f'not; images of each class: {positives.tolist()}')
        if not measurable.all():
            left_out = (~measurable).nonzero().flatten().tolist()
            print_log(f'AUROC leaves out classes {left_out}: all images or none have '
                      'them', 'current', level=30)
        score, truth = score[:, measurable], truth[:, measurable]
        if truth.shape[1] == 1:
            values = binary_auroc(score[:, 0], truth[:, 0])[None]
        else:
            values = multilabel_auroc(
                score, truth, num_labels=truth.shape[1], average=None)
        metrics = dict(macro=100 * values.mean().item())
        if self.per_class:
            classes = (self.dataset_meta or {}).get('classes') or range(len(positives))
            for index, value in zip(measurable.nonzero().flatten().tolist(), values):
                metrics[str(classes[index])] = 100 * value.item()
        return metrics
