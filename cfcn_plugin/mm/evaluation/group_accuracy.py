"""Accuracy of each group, and of the worst."""

import torch
from mmengine.evaluator import BaseMetric

from cfcn_plugin.stock import GOES

from .correctness import accuracies, labels_of


class GroupAccuracy(BaseMetric):
    """Accuracy in percent of each group of images, the mean of the groups and the
    worst (Sagawa et al. 2020, group DRO). Of several labels, exactly the true ones must
    be predicted.

    Adds ``group/NAME``, ``group/mean`` and ``group/worst``. A group is the sample's
    ``group``, which the dataset gives and ``PackGuidedInputs`` packs.
    """

    stock = GOES
    default_prefix = 'group'

    def process(self, data_batch, data_samples) -> None:
        for sample in data_samples:
            if 'group' not in sample:
                raise ValueError(
                    f"image '{sample.get('img_path')}' has no `group`: use a dataset "
                    'that gives one (CSVDataset with `group`), and pack it: '
                    "PackGuidedInputs does, PackInputs with meta_keys=[..., 'group']"
                )
            predicted = sample.get('pred_label')
            if predicted is None:
                predicted = torch.as_tensor(sample['pred_score']).argmax()
            right = labels_of(predicted) == labels_of(sample['gt_label'])
            self.results.append({str(sample['group']): right})

    def compute_metrics(self, results: list) -> dict[str, float]:
        # in the order of the groups' names, whatever the images' order
        return accuracies(sorted(results, key=lambda row: min(row)))
