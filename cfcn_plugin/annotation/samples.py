"""Collections of images for the conversion or validation of their masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cfcn_plugin.masks import MaskLoader
from cfcn_plugin.masks.refine import Refined

from .load_image import load_image
from .png_folder import list_images


class Samples(Sequence):
    """Images with the loader of their masks; an item is a sample's dict.

    Attributes:
        names: Names of the images, paths below ``root``.
        root: The folder.
        loader: Loads the images' masks.
        classes: Names of the classes; may be empty.
    """

    names: list[str]
    root: str
    loader: MaskLoader
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def load_image(self, index: int) -> np.ndarray:
        """(H, W, 3), RGB, as training loads the image."""
        return load_image(self[index]['img_path'])

    def kept_fraction(self, index: int) -> float | None:
        """Fraction of pipeline draws in which the object is visible; None: unknown."""
        return None

    def refined(self, index: int) -> Refined | None:
        """The refined mask of a guided image; None if masks are not refined."""
        return None


class FolderSamples(Samples):
    """The images of a folder.

    Args:
        images: The folder.
        loader: Loads the images' masks.
        leave_out: A subfolder; images in this subfolder are left out.
    """

    def __init__(
        self,
        images: str | Path,
        loader: MaskLoader,
        leave_out: str | Path | None = None,
    ):
        self.root = str(images)
        self.names = list_images(images, leave_out)
        self.loader = loader

    def __getitem__(self, index: int) -> dict:
        return dict(img_path=str(Path(self.root, self.names[index])))
