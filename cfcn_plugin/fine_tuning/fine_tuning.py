"""What of a pretrained network is trained, and how fast."""

from contextlib import suppress
from functools import cached_property
from typing import Any

from torch import nn

from cfcn_plugin.options import check_flag, check_number

from .depth import layers_by_depth

BatchNorm = nn.modules.batchnorm._NormBase
LINEAR = ('torch.nn.modules.linear.Linear', 'timm.layers.linear.Linear')


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

    Create it before the model is wrapped for several devices and before the optimizer
    is made.

    Args:
        model: The classifier.
        frozen: Fraction of the body's layers that are not trained, [0, 1]: the first
            layers of :func:`layers_by_depth`, never one with the head.
        norm_eval: Whether BatchNorm layers normalise by their stored statistics, and
            keep these.
        zero_head: Whether the head's weight and bias are set to zero, here.
        body: The pretrained part. None: all of the model but the head.
        head: The linear layer that gives the logits, or the part that ends in it. None:
            timm's own answer for a timm model, else the layer that was defined last.
            Without ``zero_head`` the part need not end in a linear layer.

    Attributes:
        frozen: As given.
        starts_at_zero: Whether the head begins at zero.

    Raises:
        ValueError: An option is outside its range, or the head that shall begin at zero
            is not known or not linear.
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
        # the names of a compiled model's layers are not those that timm knows
        model = getattr(model, '_orig_mod', model)
        self.body = model if body is None else body
        self._part = _giving_logits(model if head is None else head)
        self._is_named = self._part is not model
        if zero_head:
            self.zero_head()  # first, since a model that is refused stays as it was
        self._freeze(frozen)

    @cached_property
    def head(self) -> nn.Linear:
        """The linear layer that gives the logits.

        Raises:
            ValueError: There is none.
        """
        return find_head(self._part)

    def _head_parameters(self) -> list[nn.Parameter]:
        """Of the linear layer, or of the part that is known to give the logits."""
        with suppress(ValueError):
            return list(self.head.parameters())
        return list(self._part.parameters()) if self._is_named else []

    def _freeze(self, fraction: float) -> None:
        layers = [
            [self.body.get_parameter(name) for name in names]
            for names in layers_by_depth(self.body)
        ]
        head = set(self._head_parameters() or layers[-1])
        layers = [layer for layer in layers if head.isdisjoint(layer)]
        for layer in layers[: round(fraction * len(layers))]:
            for parameter in layer:
                parameter.requires_grad_(False)

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

        Raises:
            ValueError: It is not known which part gives the logits.
        """
        check_number('lr', lr, above=0)
        check_number('body_scale', body_scale, above=0)
        head = set(self._head_parameters() or self.head.parameters())
        trained = [p for p in self.model.parameters() if p.requires_grad]
        return [
            dict(params=[p for p in trained if p in head], lr=lr),
            dict(params=[p for p in trained if p not in head], lr=lr * body_scale),
        ]


def _giving_logits(model: nn.Module) -> nn.Module:
    """The part that gives the logits by timm's own answer, else the model."""
    own = model.get_classifier() if hasattr(model, 'get_classifier') else model
    # a distilled model has two
    return nn.ModuleList(own) if isinstance(own, tuple) else own


def find_head(part: nn.Module) -> nn.Linear:
    """The linear layer that a model, or the part of it with the head, ends in.

    Raises:
        ValueError: There is none.
    """
    # not any subclass, such as a layer that gives cosines
    linear = [one for one in part.modules() if _name(one) in LINEAR]
    several = isinstance(part, nn.ModuleList)
    last = list(part.parameters())[-1:]
    if several or not linear or last[0] not in set(linear[-1].parameters()):
        raise ValueError(
            f'{"a model of several heads" if several else type(part).__name__} does '
            'not end in a linear layer that alone gives the logits: name the part that '
            'does, head=model.NAME; if there is none, write zero_head=False'
        )
    return linear[-1]


def _name(module: nn.Module) -> str:
    return f'{type(module).__module__}.{type(module).__name__}'
