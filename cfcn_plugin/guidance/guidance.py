"""The contract of guidance methods."""

from abc import abstractmethod

from torch import Tensor, nn

from cfcn_plugin.stock import GOES

from .guidance_batch import GuidanceBatch


class Guidance(nn.Module):
    """A way to use masks in training.

    Attributes:
        needs_input_grad: Whether ``batch.images`` must require a gradient, which is
            itself differentiated.
        differentiates: Whether the method asks for gradients within the step, by
            ``batch.model.gradients`` or in ``batch.images``. torch.compile hides such
            gradients, so that the step is then not compiled.
    """

    stock = GOES
    needs_input_grad = False
    differentiates = False

    @abstractmethod
    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        """The method's terms.

        Returns:
            Scalars: keys with "loss" are optimised, the others are logged.
        """
