"""The contract of a mask source: asked for an image's mask, it gives a record."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np


class MaskError(ValueError):
    """A mask, or a file of masks, is not what it should be."""


@dataclass(frozen=True)
class MaskRecord:
    """One image's mask.

    Attributes:
        mask: uint8 {0, 1}, (H, W), or (K, H, W) for one mask a class.
        file: Where it came from, for messages.
        classes: int64 (K,), the class of each plane of a (K, H, W) mask.
        ignore: uint8 {0, 1}, (H, W), 1 where nobody says cause or context.
    """
    mask: np.ndarray
    file: str
    classes: np.ndarray | None = None
    ignore: np.ndarray | None = None


class MaskSource(ABC):
    """Finds an image's mask by the image's path relative to the data root.

    A source knows files and formats, and no dataset class.

    Args:
        data_root: Folder that image keys are relative to, the dataset's own.
    """

    def __init__(self, data_root: str = ''):
        self.data_root = str(data_root)

    @abstractmethod
    def __call__(self, results: dict) -> MaskRecord | None:
        """The image's mask, or None if there is none.

        Args:
            results: A sample's dict with ``img_path`` (or ``sample_idx``) and
                ``ori_shape``, the (H, W) its mask must have.

        Raises:
            MaskError: There is a mask, but it can not be used.
        """

    @abstractmethod
    def keys(self) -> list[str]:
        """Keys of the masks there are, without decoding any."""

    @abstractmethod
    def check(self) -> None:
        """Compare masks with images before training.

        Raises:
            MaskError: A mask belongs to no image.
        """

    def key(self, results: dict) -> str:
        return image_key(results, self.data_root)


def image_key(results: dict, data_root: str = '') -> str:
    """The name an image goes by: its path below the data root, else its index.

    Args:
        results: A sample's dict with ``img_path`` or ``sample_idx``.
        data_root: Folder the path is relative to.

    Raises:
        MaskError: The image is not below ``data_root``.
    """
    if results.get('img_path') is None:
        return str(results['sample_idx'])
    path = Path(results['img_path'])
    try:
        return PurePosixPath(path.absolute().relative_to(
            Path(data_root).absolute())).as_posix()
    except ValueError:
        raise MaskError(
            f"image '{path}' is not below data_root='{data_root}' of the mask source: "
            "give both the dataset and the mask source the same `data_root`") from None


def unknown(keys, what: str, of: str) -> MaskError:
    """The error for masks or list entries that belong to no image."""
    keys = sorted(keys)
    some = ', '.join(f"'{key}'" for key in keys[:3])
    return MaskError(f'{len(keys)} {what} of {of} belong to no image, for example '
                     f'{some}: remove them, or correct names or `data_root`')
