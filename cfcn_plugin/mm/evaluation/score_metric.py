"""The base of metrics of class scores."""

from abc import abstractmethod

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from cfcn_plugin.options import check_flag
from cfcn_plugin.stock import GOES


class ScoreMetric(BaseMetric):
    """A metric of all scores and labels of a data set.

    Args:
        multi_label: Whether an image has several labels.
        **kwargs: As in every mmengine metric.
    """

    stock = GOES

    def __init__(self, multi_label: bool = False, **kwargs):
        super().__init__(**kwargs)
        check_flag('multi_label', multi_label)
        self.multi_label = multi_label

    def process(self, data_batch, data_samples) -> None:
        for sample in data_samples:
            score = sample['pred_score'].detach().cpu().float()
            self.check_score(score, f"`pred_score` of '{sample.get('img_path')}'")
            truth = torch.zeros(len(score), dtype=torch.long)
            if self.multi_label and 'gt_score' in sample:
                truth = (sample['gt_score'].cpu() > 0).long()
            else:
                truth[sample['gt_label'].cpu()] = 1
            self.results.append((score, truth))

    def compute_metrics(self, results: list) -> dict[str, float]:
        return self.compute_scores(*map(torch.stack, zip(*results)))

    @abstractmethod
    def check_score(self, score: Tensor, name: str) -> None:
        """Raise a ValueError if an image's scores (C,) cannot be measured."""

    @abstractmethod
    def compute_scores(self, score: Tensor, truth: Tensor) -> dict[str, float]:
        """The metric's numbers of scores (N, C) and labels (N, C), int64 in {0, 1}."""
