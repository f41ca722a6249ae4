"""A folder of mask files with the same layout as the folder of images."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from .base import MaskSource
from .errors import ForeignImageError, MaskError, at, unknown_keys_error
from .io.files import walk_files
from .io.names import find_inside
from .io.stored_names import images_of_stem, is_image, normal_name, normal_stem


class MirrorMasks(MaskSource):
    """Base of sources with masks at the images' paths, with other file endings.

    Two images whose paths differ only in their endings would have one mask: this is an
    error, unless the mask's file names its image.

    Args:
        masks: Folder or archive of masks below ``data_root``.
        images: Folder of images below ``data_root``. Empty: ``data_root`` itself.
        data_root: The dataset's root.
    """

    endings = False
    suffixes: tuple[str, ...] = ()  # of masks, which may lie beside their images
    image_field = ''  # the field of a mask's file that names its image

    def __init__(self, masks: str, images: str = '', data_root: str = ''):
        super().__init__(data_root)
        self.masks = masks
        self.images = images
        self.folder = Path(data_root, masks)
        self._prefix = key_prefix(masks)

    def inner_path(self, key: str) -> PurePosixPath:
        """An image's key below the folder of images.

        Raises:
            ForeignImageError: The image is not below the folder of images.
        """
        try:
            return PurePosixPath(key).relative_to(self.images)
        except ValueError:
            raise ForeignImageError(
                f"image '{key}' is not below images='{self.images}' of "
                f'{type(self).__name__}: correct `images`'
            ) from None

    def find(self, name: str, key: str) -> Path | None:
        """The path of the file ``name`` in the folder of masks, None if missing.

        Raises:
            MaskError: The path leaves the folder, or two files have this name.
        """
        with at(f"image '{key}'"):
            return find_inside(self.folder, name)

    def belongs(self, key: str) -> bool:
        """Whether the mask of an image's stem is this image's, not another image's.

        Raises:
            MaskError: Several images have the stem, and the mask names none of them.
        """
        endings = self._mask_endings(key)
        images = images_of_stem(os.path.join(self.data_root, key), endings)
        if not images:
            return True
        named, names = self.named_image(key), list(map(normal_name, images))
        if names.count(named) == 1:
            return named == normal_name(os.path.basename(key))
        show = repr if len(set(names)) == len(names) else ascii
        shown = (show(os.path.join(os.path.dirname(key), one)) for one in images)
        correct = f', or correct {self.image_field}' if self.image_field else ''
        raise MaskError(
            f'one mask belongs to {len(images)} images, {", ".join(shown)}: move all '
            'but one of the images to another folder, or rename the images so that '
            f'each has a mask of its own name{correct}'
        )

    def named_image(self, key: str) -> str | None:
        """The name of the image that the file of an image's mask names, if any.

        A :func:`.normal_name` without folders.
        """

    def image_keys(self) -> Iterator[str]:
        """Keys of the files in the folder of images, with their endings."""
        prefix = key_prefix(self.images)
        for name in walk_files(Path(self.data_root, self.images), 'images'):
            key = prefix + name
            if not key.endswith(self._mask_endings(key)):
                yield key

    def _mask_endings(self, key: str) -> tuple[str, ...]:
        """Endings of masks in the folder of this image."""
        return self.suffixes if key.startswith(self._prefix) else ()

    @abstractmethod
    def owners(self) -> list[tuple[str, str]]:
        """For each mask: its name for messages, and its image's key without ending."""

    @abstractmethod
    def describe_missing(self) -> str:
        """The expected files and the remedy, for the error of an empty folder."""

    def keys(self) -> list[str]:
        return sorted({normal_name(key) for _, key in self.owners()})

    def missing(self, images: Iterable[str]) -> list[str]:
        images = list(images)
        missing = set(super().missing(images))
        return [key for key in images if key in missing or not self.belongs(key)]

    def check(self) -> None:
        owners = self.owners()
        if not owners:
            raise MaskError(f"'{self.folder}' has no {self.describe_missing()}")
        masks = {normal_name(key): mask for mask, key in owners}
        stems, shared = {}, []  # stem -> whether an image has it, or only other files
        for key in self.image_keys():
            stem = normal_stem(key)
            if is_image(key) and stems.get(stem) and stem in masks:
                shared.append((masks[stem], key))
            stems[stem] = stems.get(stem) or is_image(key)
        strangers = {mask for mask, key in owners if normal_name(key) not in stems}
        if strangers:
            raise unknown_keys_error(strangers, 'masks', f"'{self.folder}'", stems)
        for mask, key in shared:
            with at(f"'{self.folder}', '{mask}'"):
                self.belongs(key)


def key_prefix(folder: str) -> str:
    """The common prefix of all keys below a folder."""
    inner = PurePosixPath(os.path.normpath(folder)).as_posix()
    return '' if inner == '.' else f'{inner}/'
