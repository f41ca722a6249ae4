"""The class scores in what a model gives."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor


def class_scores(output: Any) -> Tensor:
    """(B, C): the output itself, or its ``logits`` (transformers, torchvision's
    GoogLeNet and Inception).

    Raises:
        TypeError: The output is no tensor (B, C) and has none as ``logits``.
    """
    if isinstance(output, Tensor):
        found = output
    elif isinstance(output, Mapping):
        found = output.get('logits')
    else:
        found = getattr(output, 'logits', None)
    if isinstance(found, Tensor) and found.dim() == 2:
        return found
    what = type(output).__name__
    if isinstance(output, Tensor):
        what = f'shape {tuple(output.shape)}'
    raise TypeError(
        'guidance needs the class scores (B, C) of the model as a tensor, or an output '
        f'with `logits`, got {what}: give guide.loss the tensor, such as '
        'output[0], and give Guide(forward=lambda images: model(images)[0])'
    )
