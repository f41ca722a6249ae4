"""A torch data set whose samples have their masks."""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Dataset, Subset

from cfcn_plugin.masks import MaskLoader, MaskSource, image_key
from cfcn_plugin.masks.errors import unknown_keys_error
from cfcn_plugin.options import check_flag, check_number

from .masked_samples import MaskedSamples


class MaskedDataset(Dataset):
    """A data set of images, with their masks::

        dataset = MaskedDataset(ImageFolder('data/train', transform=transform),
                                PNGMasks('masks', images='train', data_root='data'))
        image, label, mask = dataset[0]
        loader = DataLoader(dataset, batch_size=32, collate_fn=collate)

    The data set's ``transform`` is applied to image and mask by one draw; see
    :class:`.JointTransform`. The data set that is given does not change.

    A sample has one more value at its end, or the key ``'masks'`` if samples are dicts
    with the image as ``image``, ``pixel_values`` or ``img``: a dict with

    - guided (bool): whether the image has a mask
    - activation_mask (np.uint8, (H, W) or (K, H, W), {0, 1})
    - ignore_mask (np.uint8, (H, W), {0, 1})
    - mask_classes (np.int64, (K,)): if the source has one mask a class
    - cropped_out (bool): whether a crop made the image unguided
    - mask_error (bool): with ``on_error='unguided'``

    Args:
        dataset: torchvision's ``ImageFolder`` or another ``DatasetFolder``, timm's
            ``ImageDataset``, a ``Subset`` or ``ConcatDataset`` of these, or any
            map-style data set with ``path``.
        source: The mask source. Its ``data_root`` is a folder above the images.
        transform: Of image and mask. None: the ``transform`` of the data set. A data
            set that moves pixels in another way cannot be guided.
        path: From an index in the data set (in the inner one of a ``Subset``) to the
            path of the image's file. None: the data set knows it.
        min_visible: Minimum visible fraction of the object's area, in [0, 1]. A draw
            with a smaller fraction is unguided. 0: one causal pixel is enough.
        check: Whether to check here, without decoding, that each mask belongs to an
            image, and that each image has a mask where ``missing='error'``.
        **options: ``image_list``, ``fraction``, ``seed``, ``missing``, ``empty``,
            ``exif``, ``rescale``, ``on_error``, ``refine`` and ``warn`` of
            :class:`.MaskLoader`.

    Attributes:
        dataset: The data set that was given.

    Raises:
        TypeError: The data set is not map-style or does not know its images' files, or
            ``source`` is no mask source.
        ValueError: A part of the transform would leave masks behind, or an option has
            a wrong value.
        MaskError: ``check`` has found masks without an image, or images without a mask.
    """

    def __init__(
        self,
        dataset: Dataset,
        source: MaskSource,
        transform: Callable | None = None,
        path: Callable[[int], str] | None = None,
        min_visible: float = 0.0,
        check: bool = True,
        **options,
    ):
        if not isinstance(source, MaskSource):
            raise TypeError(
                '`source` must be a mask source such as '
                f'cfcn_plugin.masks.PNGMasks(...), got {source!r}'
            )
        check_number('min_visible', min_visible, least=0, most=1)
        check_flag('check', check)
        self.dataset = dataset
        self.mask_loader = MaskLoader(source, **options)
        self._inner: list[MaskedSamples] = []
        self._masked = self._with_masks(dataset, transform, path, min_visible)
        if check:
            self._check()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self._masked[index]

    def path(self, index: int) -> str:
        """The path of an image's file."""
        inner, index = _locate(self._masked, index)
        return inner.path(index)

    @cached_property
    def guided(self) -> list[bool]:
        """Whether each image is chosen and has a mask, by names; no mask is decoded.

        For samplers, and for a ``Subset`` of the guided images.
        """
        keys = [self._key(self.path(i)) for i in range(len(self))]
        chosen = [key for key in keys if self.mask_loader.is_chosen(key)]
        guided = set(chosen).difference(self.mask_loader.source.missing(chosen))
        return [key in guided for key in keys]

    def _key(self, path: str) -> str:
        return image_key(dict(img_path=path), self.mask_loader.source.data_root)

    def _with_masks(self, dataset: Any, transform, path, min_visible: float) -> Any:
        """The data set with masks in its samples; its parts are copies."""
        if isinstance(dataset, Subset):
            changed = copy(dataset)
            changed.dataset = self._with_masks(
                dataset.dataset, transform, path, min_visible
            )
            return changed
        if isinstance(dataset, ConcatDataset):
            if path is not None:
                raise ValueError(
                    '`path` is of one data set, got a ConcatDataset: make '
                    'it of one MaskedDataset each'
                )
            changed = copy(dataset)
            changed.datasets = [
                self._with_masks(one, transform, path, min_visible)
                for one in dataset.datasets
            ]
            return changed
        self._inner.append(
            MaskedSamples(dataset, self.mask_loader, transform, path, min_visible)
        )
        return self._inner[-1]

    def _check(self) -> None:
        loader, used = (
            self.mask_loader,
            [self._key(self.path(i)) for i in range(len(self))],
        )
        if loader.image_list is not None:
            everything = [
                self._key(inner.path(i))
                for inner in self._inner
                for i in range(len(inner.dataset))
            ]
            strangers = loader.unknown_lines(everything)
            if strangers:
                raise unknown_keys_error(
                    strangers, 'lines', f"list '{loader.image_list_file}'", everything
                )
        loader.check(used)
        loader.check_missing(used)


def _locate(dataset: Any, index: int) -> tuple[MaskedSamples, int]:
    """The inner data set that a sample is of, and the sample's index in it."""
    while not isinstance(dataset, MaskedSamples):
        if isinstance(dataset, Subset):
            dataset, index = dataset.dataset, dataset.indices[index]
        else:
            index = index + len(dataset) if index < 0 else index
            number = int(np.searchsorted(dataset.cumulative_sizes, index, 'right'))
            before = dataset.cumulative_sizes[number - 1] if number else 0
            dataset, index = dataset.datasets[number], index - before
    return dataset, index
