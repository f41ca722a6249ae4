"""Several ways to use a mask in one training."""
from collections.abc import Sequence

from mmpretrain.registry import MODELS
from torch import Tensor, nn

from .base import Guidance, Seen


@MODELS.register_module()
class Combined(Guidance):
    """The sum of several methods: ``guidance=[dict(...), dict(...)]`` in a config.

    Each has its own weight. A key that several log gets the method's number from the
    second on: ``alive``, ``alive_1``.

    Args:
        methods: Configs of methods, or methods, at least one.

    Raises:
        ValueError: There is none.
    """

    def __init__(self, methods: Sequence[dict | Guidance]):
        super().__init__()
        if not methods:
            raise ValueError('`guidance` is an empty list: name a method, or None for '
                             'the plain twin')
        self.methods = nn.ModuleList(
            MODELS.build(m) if isinstance(m, dict) else m for m in methods)
        self.needs_input_grad = any(m.needs_input_grad for m in self.methods)
        self.differentiates = any(m.differentiates for m in self.methods)

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        terms = {}
        for number, method in enumerate(self.methods):
            for key, value in method(seen).items():
                terms[f'{key}_{number}' if key in terms else key] = value
        return terms
