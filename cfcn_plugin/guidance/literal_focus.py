"""The paper's equations to the letter."""

from .causal_focus import CausalFocusLoss

EPS = 1e-12  # the paper does not say; smaller is nothing in float32


class LiteralFocusLoss(CausalFocusLoss):
    """Eq. 1 to 3 of CFCN as they are printed, with nothing that makes them safer.

    ``CausalFocusLoss`` differs by default where the paper says nothing or a run would
    suffer: its ``eps`` bounds the gradient of maps that are nearly dead, and in Eq. 3
    it skips classes that an image has no mask of. Here ``eps`` is next to nothing, and
    such a class is context everywhere, at a cost of 1. Eq. 3's network is literal with
    ``CausalFocusHead(relu_logits=True)``.

    Logs what ``CausalFocusLoss`` logs.

    Args:
        loss_weight: The paper's alpha, >= 0.
        channels: ``'all'`` (Eq. 1), ``'target'`` (Eq. 2) or ``'per_class'`` (Eq. 3).
        resize: ``'mask'`` or ``'activation'``: the paper does both.
    """

    def __init__(
        self, loss_weight: float = 1.0, channels: str = 'all', resize: str = 'mask'
    ):
        super().__init__(
            loss_weight, channels, eps=EPS, resize=resize, absent='context'
        )
