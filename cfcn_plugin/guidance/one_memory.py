"""Tensors of several types in one memory, which moves to a device by one copy."""

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor


def allocate(*kinds: tuple[tuple[int, ...], torch.dtype]) -> list[Tensor]:
    """Tensors of zeros that lie one after the other in one memory.

    Args:
        kinds: The shape and type of each. Types of more bytes come first, so that each
            tensor begins at a multiple of the bytes of its type.
    """
    ends = [0]
    for shape, dtype in kinds:
        ends.append(ends[-1] + prod(shape) * dtype.itemsize)
    memory = torch.zeros(ends[-1], dtype=torch.uint8)
    return [
        memory[start:end].view(dtype).view(shape)
        for start, end, (shape, dtype) in zip(ends, ends[1:], kinds)
    ]


def move(
    tensors: Sequence[Tensor | None], copy: Callable[[Tensor], Tensor]
) -> list[Tensor | None]:
    """Each tensor copied; in one copy if they fill one memory.

    Args:
        tensors: Tensors, or None, which stays None.
        copy: From a tensor to its copy, for example on another device.
    """
    given = [one for one in tensors if one is not None]
    if not _fill_one_memory(given):
        return [None if one is None else copy(one) for one in tensors]
    storage = given[0].untyped_storage()
    whole = torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)
    moved = copy(whole)

    def part(tensor: Tensor) -> Tensor:
        start = tensor.storage_offset() * tensor.itemsize
        return (
            moved[start : start + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
        )

    return [None if one is None else part(one) for one in tensors]


def _fill_one_memory(tensors: list[Tensor]) -> bool:
    places = {one.untyped_storage().data_ptr() for one in tensors}
    return (
        len(tensors) > 1
        and len(places) == 1
        and places != {0}
        and all(one.is_contiguous() for one in tensors)
        and sum(one.nbytes for one in tensors) == tensors[0].untyped_storage().nbytes()
    )
