"""The samples of one data set, image and mask transformed together."""

from collections.abc import Callable, Mapping
from copy import copy
from numbers import Integral
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset
from torchvision.datasets.vision import StandardTransform

from cfcn_plugin.masks import MaskError, MaskLoader, MaskRecord
from cfcn_plugin.masks.exif import stored_orientation
from cfcn_plugin.masks.visibility import drop_cropped_out, mask_fields

from .image_files import index_that_was_read, path_finder, with_known_formats
from .joint_transform import JointTransform, image_size

IMAGE_KEYS = ('image', 'pixel_values', 'img')
LABEL_KEYS = ('label', 'labels', 'target')
# Keys of the arrays that move with the image
MOVED = ('activation_mask', 'ignore_mask', 'source_positions')
KEPT = (
    'guided',
    'cropped_out',
    'mask_error',
    'activation_mask',
    'ignore_mask',
    'mask_classes',
)


class MaskedSamples(Dataset):
    """A data set that is made of no others, with masks in its samples.

    Arguments and samples are those of :class:`.MaskedDataset`.
    """

    def __init__(
        self, dataset: Any, mask_loader: MaskLoader, transform, path, min_visible: float
    ):
        if isinstance(dataset, IterableDataset) or not hasattr(dataset, '__getitem__'):
            raise TypeError(
                f'{type(dataset).__name__} has no samples by index: masks '
                'need a map-style data set'
            )
        self.path = path_finder(dataset) if path is None else path
        self.dataset, own = _without_transform(with_known_formats(dataset))
        if own is not None and transform is not None:
            raise ValueError(
                f'{type(dataset).__name__} has a transform, and MaskedData'
                'set another one: give one of them'
            )
        self.takes_transform = hasattr(dataset, 'transform')
        self.transform = JointTransform(own if transform is None else transform)
        self.mask_loader = mask_loader
        self.min_visible = min_visible

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        sample = self.dataset[index]
        path = self.path(index_that_was_read(self.dataset, index))
        if isinstance(sample, Mapping):
            image_of = _key_of(sample, IMAGE_KEYS)
            image, masks = self._mask(
                path, sample[image_of], sample.get(_key_of(sample, LABEL_KEYS, False))
            )
            return {**sample, image_of: image, 'masks': masks}
        if not isinstance(sample, tuple | list) or not sample:
            raise TypeError(
                f'{type(self.dataset).__name__} gives {type(sample).__name__}: expected'
                ' samples (image, label) or dicts with an image'
            )
        image, *rest = sample
        image, masks = self._mask(path, image, rest[0] if rest else None)
        return (image, *rest, masks)

    def _mask(self, path: str, image: Any, label: Any) -> tuple[Any, dict]:
        """The image and what its sample says of its mask, both transformed."""
        try:
            record, fields = self._ask(path, image, label)
        except MaskError as error:
            self._refuse_changed(path, image, error)
            raise
        if record is not None:
            fields.update(mask_fields(record, self.min_visible))
        image, fields = self._move(path, image, fields)
        if fields['guided']:
            drop_cropped_out(fields)
        none = np.zeros(image_size(image), np.uint8)
        filled = dict(activation_mask=none, ignore_mask=none, cropped_out=False)
        filled.update(fields)
        return image, {key: filled[key] for key in KEPT if key in filled}

    def _ask(self, path: str, image: Any, label: Any) -> tuple[MaskRecord | None, dict]:
        """The record of a guided image, and whether there is one and why not."""
        sample: dict[str, Any] = dict(img_path=path, img=image)
        if isinstance(label, Integral) or (
            isinstance(label, Tensor | np.ndarray) and label.ndim == 0
        ):
            sample['gt_label'] = int(label)
        loader, fields = self.mask_loader, dict[str, Any](guided=False)
        result = None
        if loader.is_sample_chosen(sample):
            result = loader.load(sample, image_size(image))
            fields['guided'] = result.kind == 'mask'
        if loader.on_error == 'unguided':
            fields['mask_error'] = bool(
                result and result.error and not loader.is_declared_unguided(result)
            )
        return result.record if fields['guided'] else None, fields

    def _move(self, path: str, image: Any, fields: dict) -> tuple[Any, dict]:
        if not fields['guided']:
            return self.transform(image, None)[0], fields
        shape = fields['activation_mask'].shape
        planes = {
            key: fields[key].reshape(-1, *shape[-2:]) for key in MOVED if key in fields
        }
        together = (
            planes['activation_mask']
            if len(planes) == 1
            else (np.concatenate(list(planes.values())))
        )
        try:
            image, moved = self.transform(image, together)
        except ValueError as error:
            raise MaskError(f"image '{path}': {error}") from error
        for key, part in planes.items():
            count, before = len(part), fields[key].shape[:-2]
            fields[key] = moved[:count].reshape(*before, *moved.shape[-2:])
            moved = moved[count:]
        return image, fields

    def _refuse_changed(self, path: str, image: Any, error: MaskError) -> None:
        """Name the cause where the data set has already resized or cropped images."""
        try:
            size, now = stored_orientation(path)[1], image_size(image)
        except Exception:  # no image file, of which no size is known
            return
        if now not in (size, size[::-1]) and not self.takes_transform:
            raise MaskError(
                f"image '{path}': the data set has changed it from {size} to {now} "
                f'before its mask could move along: let {type(self.dataset).__name__} '
                'give the image as it is in the file, and give its transform to '
                'MaskedDataset(transform=...)'
            ) from error


def _without_transform(dataset: Any) -> tuple[Any, Callable | None]:
    """A copy that gives images as they are in their files, and the transform."""
    own = getattr(dataset, 'transform', None)
    joint = getattr(dataset, 'transforms', None)
    if (
        own is None
        and joint is not None
        and (not isinstance(joint, StandardTransform) or joint.transform is not None)
    ):
        raise ValueError(
            f'{type(dataset).__name__} has `transforms` of image and label, which take '
            'no mask along: give `transform` and `target_transform` apart'
        )
    changed = copy(dataset)
    if own is not None:
        changed.transform = _as_it_is
    if isinstance(joint, StandardTransform):
        changed.transforms = StandardTransform(None, joint.target_transform)
    return changed, own


def _as_it_is(image: Any) -> Any:
    return image


def _key_of(sample: Mapping, known: tuple[str, ...], needed: bool = True) -> str | None:
    found = [key for key in known if key in sample]
    if needed and not found:
        raise TypeError(
            f'a sample has the keys {list(sample)}: expected its image as '
            f'one of {known}'
        )
    return found[0] if found else None
