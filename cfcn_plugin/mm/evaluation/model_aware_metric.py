"""The contract of metrics that need more of a model than its prediction."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from mmengine.evaluator import BaseMetric
from torch import Tensor, nn

from cfcn_plugin.guidance import GuidanceBatch, MaskBatch
from cfcn_plugin.stock import GOES


@dataclass(frozen=True)
class EvalBatch:
    """A batch that a model has just predicted.

    Attributes:
        images: As the pipeline packed them, B of (3, H, W) or (B, 3, H, W).
        inputs: (B, 3, H, W), the images preprocessed.
        masks: The images' masks; None if the pipeline loads none.
        samples: The images' data samples, with predictions.
        dataset: The data set of the images.
        guidance: The guided maps and the masks of the same forward pass; None if there
            are no masks.
    """

    images: Sequence[Tensor]
    inputs: Tensor
    masks: MaskBatch | None
    samples: list
    dataset: object
    guidance: GuidanceBatch | None = None


class ModelAwareMetric(BaseMetric):
    """A metric of mmengine that gets the model, its maps and the masks of a batch.

    A metric of mmengine gets data samples alone. ``ModelAwareValLoop`` and
    ``ModelAwareTestLoop`` call :meth:`evaluate_batch` of each such metric first.
    """

    stock = GOES
    _rows: list[dict] | None = None

    @abstractmethod
    def evaluate_batch(self, model: nn.Module, batch: EvalBatch) -> list[dict | None]:
        """Each image's values, Python's own numbers; None for an image without.

        Called in evaluation mode, without gradients. A value depends on nothing but
        its image: any cut into batches and ranks gives the same.
        """

    def observe(self, model: nn.Module, batch: EvalBatch) -> None:
        """Evaluate the batch that :meth:`process` gets next."""
        # {} and not None, which mmengine loses where it joins the results of ranks
        self._rows = [row or {} for row in self.evaluate_batch(model, batch)]

    def process(self, data_batch, data_samples) -> None:
        if self._rows is None:
            raise ValueError(
                f'{type(self).__name__} needs the model, which the validation or test '
                'loop of mmengine does not hand out: write val_cfg=dict(type='
                "'ModelAwareValLoop') and test_cfg=dict(type='ModelAwareTestLoop'), or "
                "add dict(type='ModelAwareLoopHook') to custom_hooks"
            )
        self.results += self._rows
        self._rows = None
