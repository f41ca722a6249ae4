"""The interface of a mask source, which returns the record of an image's mask."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from cfcn_plugin.stock import GOES

from .errors import ForeignImageError, MaskError
from .io.stored_names import is_plain, normal_name, normal_stem


@dataclass(frozen=True)
class MaskRecord:
    """One image's mask.

    Attributes:
        mask: uint8 {0, 1}, (H, W), or (K, H, W) for one mask a class.
        file: The source file, with the entry in the file if there are several.
        classes: int64 (K,), the class of each plane of a (K, H, W) mask.
        ignore: uint8 {0, 1}, (H, W), 1 where a pixel is neither cause nor context.
        made_of: The mask depends on these files, the image's (H, W) and label alone:
            path and :func:`.file_state` of each file that is read again for each mask.
            None: the source is asked for each draw.
    """

    mask: np.ndarray
    file: str
    classes: np.ndarray | None = None
    ignore: np.ndarray | None = None
    made_of: tuple[tuple[str, tuple | None], ...] | None = None

    def check(self) -> None:
        """Raise a MaskError if a value, type or shape differs from the above."""
        for name in ('mask', 'ignore'):
            values = getattr(self, name)
            if (
                values is not None
                and values.size
                and (
                    values.dtype.kind not in 'bui'
                    or values.max() > 1
                    or (values.dtype.kind == 'i' and values.min() < 0)
                )
            ):
                raise MaskError(
                    f'`{name}` of a MaskRecord must be 0 and 1, uint8 or bool, got '
                    f'{values.dtype} from {values.min()} to {values.max()}'
                )
        classes = self.classes
        if classes is not None and (
            classes.dtype.kind not in 'ui'
            or classes.min(initial=0) < 0
            or self.mask.ndim != 3
            or len(classes) != len(self.mask)
        ):
            raise MaskError(
                '`classes` of a MaskRecord must be one whole number from 0 for each '
                f'plane of a (K, H, W) mask, got {classes!r} for {self.mask.shape}'
            )


class MaskSource(ABC):
    """Finds an image's mask by the image's path relative to the data root.

    A source depends on files and formats, not on a dataset class.

    Args:
        data_root: The dataset's root, the folder that image keys are relative to.
    """

    stock = GOES
    endings = True  # whether keys include the image's file ending

    def __init__(self, data_root: str = ''):
        self.data_root = str(data_root)

    @abstractmethod
    def __call__(self, results: dict) -> MaskRecord | None:
        """The image's mask, or None if the image's key is not in :meth:`keys`.

        An entry without a causal pixel gives a mask of zeros.

        Args:
            results: A sample's dict with ``img_path`` (or ``sample_idx``) and
                ``ori_shape``, the (H, W) that the mask must have.

        Raises:
            MaskError: The image's mask cannot be used.
        """

    @abstractmethod
    def keys(self) -> list[str]:
        """Keys of all masks, without decoding; no endings if ``endings`` is False.

        Each key is a :func:`.normal_name`.
        """

    @abstractmethod
    def check(self) -> None:
        """Raise a MaskError, before training, if a mask belongs to no image."""

    def broken(self) -> list[tuple[str, MaskError]]:
        """Key and error of each entry that was found broken when its file was read.

        Calling the source for such an image raises the error.
        """
        return []

    def missing(self, images: Iterable[str]) -> list[str]:
        """The keys of ``images`` that have no mask; no mask is decoded."""
        known = set(self.keys())
        normal = normal_name if self.endings else normal_stem
        return [key for key in images if normal(key) not in known]

    def places(self, key: str) -> list[str]:
        """Where the mask of an image is looked for, for messages; may be empty."""
        return []

    def looked_for(self, key: str) -> str:
        """The source and its :meth:`places`, for messages; none of a foreign image."""
        try:
            places = ' and '.join(map(repr, self.places(key)))
        except ForeignImageError:
            places = ''
        return type(self).__name__ + (places and f' (looked for {places})')

    def key(self, results: dict) -> str:
        return image_key(results, self.data_root)


def image_key(results: dict, data_root: str = '') -> str:
    """An image's key: its path below the data root, or its index if it has no path.

    Args:
        results: A sample's dict with ``img_path`` or ``sample_idx``.
        data_root: Folder the path is relative to.

    Raises:
        ForeignImageError: The image is not below ``data_root``, or has no name.
    """
    if results.get('img_path') is None:
        if results.get('sample_idx') is None:
            raise ForeignImageError(
                'the sample has neither `img_path` nor `sample_idx`, by which its mask '
                'is found: let the data set give one'
            )
        return str(results['sample_idx'])
    path = results['img_path']
    prefix = os.path.join(data_root, '')
    if (
        isinstance(path, str)
        and path.startswith(prefix)
        and is_plain(path[len(prefix) :])
    ):
        return path[len(prefix) :]  # same as pathlib, ten microseconds faster
    try:
        return PurePosixPath(
            Path(os.path.abspath(path)).relative_to(os.path.abspath(data_root))
        ).as_posix()
    except ValueError:
        raise ForeignImageError(
            f"image '{path}' is not below data_root='{data_root}' of the mask source: "
            'use the same `data_root` for the dataset and the mask source'
        ) from None


def class_record(
    planes: dict[int, np.ndarray],
    shape: tuple,
    file: str,
    ignore: np.ndarray | None = None,
) -> MaskRecord:
    """The record of ``planes``, {class: mask}, each mask uint8 {0, 1}, (H, W).

    A class whose mask has no causal pixel is left out.
    """
    present = [label for label in sorted(planes) if planes[label].any()]
    mask = (
        np.stack([planes[label] for label in present])
        if present
        else np.zeros((0, *shape), np.uint8)
    )
    return MaskRecord(mask, file, np.array(present, np.int64), ignore)
