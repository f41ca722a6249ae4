"""The common part of methods with one loss."""

from torch import Tensor

from cfcn_plugin.options import check_choice, check_number

from .guidance import Guidance
from .guidance_batch import GuidanceBatch
from .reduction import REDUCTIONS, reduce_images


class WeightedGuidance(Guidance):
    """A method with one loss, its weight, and its mean over images.

    Args:
        loss_weight: >= 0.
        reduction: ``'batch'`` or ``'guided'``, see :func:`.reduce_images`.

    Raises:
        ValueError: An option is wrong.
    """

    def __init__(self, loss_weight: float, reduction: str):
        super().__init__()
        check_number('loss_weight', loss_weight, least=0)
        check_choice('reduction', reduction, REDUCTIONS)
        self.loss_weight = loss_weight
        self.reduction = reduction

    def terms(
        self, name: str, per_image: Tensor, batch: GuidanceBatch
    ) -> dict[str, Tensor]:
        """``loss_<name>``, with its weight in it, and ``<name>``, detached.

        Args:
            name: Of the terms.
            per_image: (B,), each image's cost, 0 where it is unguided.
            batch: The batch.
        """
        cost = reduce_images(per_image, batch.masks.weight, self.reduction)
        return {f'loss_{name}': self.loss_weight * cost, name: cost.detach()}
