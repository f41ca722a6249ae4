"""The batch of a data loader, with its masks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.utils.data import default_collate

from .stack_masks import stack_masks


def collate(
    samples: Sequence[Any], others: Callable[[list], Any] = default_collate
) -> Any:
    """``DataLoader(dataset, collate_fn=collate)`` of a :class:`.MaskedDataset`.

    Args:
        samples: Of the data set: tuples with the masks at their end, or dicts with the
            masks as ``masks``.
        others: The collate function of the rest of the samples, without masks.

    Returns:
        What ``others`` gives, usually images (B, C, H, W) and labels (B,), with a
        :class:`.MaskBatch` at its end, or as ``masks`` of a dict.

    Raises:
        TypeError: The samples have no masks, or the images are no tensors.
    """
    first = samples[0]
    if isinstance(first, Mapping):
        masks = [one.get('masks') for one in samples]
        rest = [{k: v for k, v in one.items() if k != 'masks'} for one in samples]
    else:
        tuples = isinstance(first, tuple | list) and len(first) > 1
        masks = [one[-1] for one in samples] if tuples else [None]
        rest = [tuple(one[:-1]) for one in samples] if tuples else []
    if not all(isinstance(one, Mapping) and 'guided' in one for one in masks):
        raise TypeError(
            'the samples have no masks: give the DataLoader a cfcn_plugin.MaskedDataset'
        )
    batch = others(rest)
    images = _images(batch)
    stacked = stack_masks(masks, tuple(images.shape[-2:]))
    if isinstance(batch, Mapping):
        return {**batch, 'masks': stacked}
    return (*batch, stacked)


def _images(batch: Any) -> Any:
    values = list(batch.values()) if isinstance(batch, Mapping) else batch
    for value in values:
        if getattr(value, 'ndim', 0) == 4:
            return value
    raise TypeError(
        'a batch has no images (B, C, H, W): let the transform end with '
        'v2.ToImage() and v2.ToDtype(torch.float32, scale=True)'
    )
