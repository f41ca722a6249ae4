"""The contract of measures that ask a model more than its prediction."""
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmengine.evaluator import BaseMetric
from torch import Tensor, nn

from cfcn_plugin.stock import GOES

if TYPE_CHECKING:
    from cfcn_plugin.guidance.mask_batch import MaskBatch


@dataclass(frozen=True)
class Shown:
    """A batch that a model has just been tested on.

    Attributes:
        images: As the pipeline packed them, B of (3, H, W) or (B, 3, H, W).
        inputs: (B, 3, H, W), preprocessed.
        masks: Their masks; None if the pipeline loads none.
        samples: Their data samples, with predictions.
        dataset: Where they come from.
    """
    images: Sequence[Tensor]
    inputs: Tensor
    masks: 'MaskBatch | None'
    samples: list
    dataset: object


class ModelAwareMetric(BaseMetric):
    """A metric that runs the model itself, on what a probing loop has just tested.

    A metric of mmengine gets data samples alone. ``ModelAwareValLoop`` and
    ``ModelAwareTestLoop`` first ask each of these for its numbers of each image, and put
    them into the image's data sample.

    Args:
        collect_device, prefix: As in every mmengine metric.
    """
    stock = GOES

    @abstractmethod
    def probe(self, model: nn.Module, shown: Shown) -> list[dict | None]:
        """Each image's numbers, Python's own; None for one that is not measured.

        Called in evaluation mode, without gradients. A number depends on nothing but
        its image: any cut into batches and ranks gives the same.
        """

    @property
    def field(self) -> str:
        """Where a data sample has this metric's numbers."""
        return f'probed_{self.prefix}'

    def process(self, data_batch, data_samples) -> None:
        for sample in data_samples:
            if self.field not in sample:
                raise ValueError(
                    f'{type(self).__name__} runs the model itself, and nothing let it: '
                    "write val_cfg=dict(type='ModelAwareValLoop') or "
                    "test_cfg=dict(type='ModelAwareTestLoop')")
            # not None, which mmengine loses where it joins what ranks found
            self.results.append(sample[self.field])
