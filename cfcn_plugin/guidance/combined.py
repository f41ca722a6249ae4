"""Several ways to use a mask in one training."""

from collections.abc import Sequence

from torch import Tensor, nn

from .guidance import Guidance
from .guidance_batch import GuidanceBatch


class Combined(Guidance):
    """The sum of several methods: ``guidance=[dict(...), dict(...)]`` in a config.

    Each has its own weight. A key that several log gets the method's number from the
    second on: ``active_maps``, ``active_maps_1``.

    Args:
        methods: At least one.

    Raises:
        ValueError: There is none.
    """

    def __init__(self, methods: Sequence[Guidance]):
        super().__init__()
        if not methods:
            raise ValueError(
                '`guidance` is an empty list: name a method, or None for the baseline'
            )
        self.methods = nn.ModuleList(methods)
        self.needs_input_grad = any(m.needs_input_grad for m in self.methods)
        self.differentiates = any(m.differentiates for m in self.methods)

    def forward(self, batch: GuidanceBatch) -> dict[str, Tensor]:
        terms = {}
        for number, method in enumerate(self.methods):
            for key, value in method(batch).items():
                terms[f'{key}_{number}' if key in terms else key] = value
        return terms
