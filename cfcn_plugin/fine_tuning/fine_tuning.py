"""What of a pretrained network is trained, and how fast."""

from functools import cached_property
from typing import Any

from torch import nn

from cfcn_plugin.options import check_flag, check_number

from .depth import layers_by_depth

BatchNorm = nn.modules.batchnorm._NormBase


class FineTuning:
    """Keeps what a pretrained network has learned while it is trained::

        tuning = FineTuning(model)
        optimizer = AdamW(tuning.parameter_groups(lr=1e-3))
        for epoch in range(epochs):
            tuning.train()  # in the place of model.train()
            ...

    The first layers are frozen, BatchNorm's statistics stay, and the new linear head
    begins at zero, so that the first steps send no random gradient into the body. The
    model gets no parameter, and no module of it changes its type.

    Create it before the model is wrapped (DistributedDataParallel) and before the
    optimizer is made.

    Args:
        model: The classifier.
        frozen: Fraction of the body's layers that are not trained, [0, 1]: the first
            layers of :func:`layers_by_depth`, never the head.
        norm_eval: Whether BatchNorm layers normalise by their stored statistics, and
            keep these.
        zero_head: Whether the head's weight and bias are set to zero, here.
        body: The pretrained part. None: all of the model but the head.
        head: The linear layer that gives the logits, or the part that has it. None: the
            model. Of a part, the layer is timm's own answer for a timm model, else the
            linear layer that was defined last.

    Attributes:
        frozen: As given.
        starts_at_zero: Whether the head begins at zero.

    Raises:
        ValueError: An option is outside its range, or the head that shall begin at zero
            is not linear.
        TypeError: An option has a value of the wrong type.
    """

    def __init__(
        self,
        model: nn.Module,
        frozen: float = 0.7,
        norm_eval: bool = True,
        zero_head: bool = True,
        body: nn.Module | None = None,
        head: nn.Module | None = None,
    ):
        check_number('frozen', frozen, least=0, most=1)
        check_flag('norm_eval', norm_eval)
        check_flag('zero_head', zero_head)
        self.model = model
        self.frozen = frozen
        self.norm_eval = norm_eval
        self.starts_at_zero = zero_head
        self.body = model if body is None else body
        self._has_head = model if head is None else head
        self._freeze(frozen)
        if zero_head:
            self.zero_head()

    @cached_property
    def head(self) -> nn.Linear:
        """The linear layer that gives the logits.

        Raises:
            ValueError: There is none.
        """
        return find_head(self._has_head)

    def _freeze(self, fraction: float) -> None:
        layers = layers_by_depth(self.body)
        if self.body is self.model:
            layers = layers[:-1]  # the head
        for layer in layers[: round(fraction * len(layers))]:
            for name in layer:
                self.body.get_parameter(name).requires_grad_(False)

    def zero_head(self) -> None:
        """Set the head's weight and bias to zero."""
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def train(self, mode: bool = True) -> None:
        """``model.train(mode)``, in which BatchNorm layers keep their statistics."""
        self.model.train(mode)
        self.hold_statistics()

    def hold_statistics(self) -> None:
        """Set the body's BatchNorm layers to evaluation, if ``norm_eval``."""
        if self.norm_eval:
            for module in self.body.modules():
                if isinstance(module, BatchNorm):
                    module.eval()

    def parameter_groups(
        self, lr: float, body_scale: float = 0.1
    ) -> list[dict[str, Any]]:
        """Two groups of parameters for an optimizer: the head's, and the body's.

        Args:
            lr: The learning rate of the head, > 0.
            body_scale: The body's learning rate as a fraction of the head's, > 0.
        """
        check_number('lr', lr, above=0)
        check_number('body_scale', body_scale, above=0)
        head = set(self.head.parameters())
        trained = [p for p in self.model.parameters() if p.requires_grad]
        return [
            dict(params=[p for p in trained if p in head], lr=lr),
            dict(params=[p for p in trained if p not in head], lr=lr * body_scale),
        ]


def find_head(model: nn.Module) -> nn.Linear:
    """The linear layer that gives the logits.

    Raises:
        ValueError: There is none.
    """
    own = model.get_classifier() if hasattr(model, 'get_classifier') else None
    if isinstance(own, tuple):  # a distilled model's two
        own = nn.Identity()
    # not a subclass, such as a layer that gives cosines
    linear = [
        one
        for one in (model if own is None else own).modules()
        if type(one) is nn.Linear
    ]
    if not linear:
        raise ValueError(
            f'{type(model).__name__} has no linear layer that alone gives its logits: '
            'write zero_head=False'
        )
    return linear[-1]
