"""A folder of mask files, one file for each image."""

import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from .base import MaskRecord
from .errors import MaskError, at
from .flat_folder import images_by_stem
from .io.files import walk_files
from .io.stored_names import normal_name
from .mask_memory import file_states
from .mirror import MirrorMasks, key_prefix


class FolderMasks(MirrorMasks):
    """Base of sources with one file per image, at the image's path.

    The mask of ``<data_root>/<images>/a/b.jpg`` is ``<data_root>/<masks>/a/b<suffix>``;
    or, of an image in an inner folder, ``<data_root>/<masks>/b<suffix>`` if no other
    image has this stem. ``._*`` files are left out.

    Args:
        masks, images, data_root: As in :class:`MirrorMasks`.
        suffix: Replacement for the image's file ending in a mask's name, such as
            ``'.png'`` or ``'_mask.png'``; or several, if endings differ among images.
    """

    option = 'masks'  # name of the config's option for the folder of masks

    def __init__(
        self,
        masks: str,
        images: str = '',
        data_root: str = '',
        suffix: str | list[str] = '.png',
    ):
        super().__init__(masks, images, data_root)
        self.suffixes = (suffix,) if isinstance(suffix, str) else tuple(suffix)
        for one in self.suffixes or ('',):
            if '.' not in one or '/' in one:
                raise ValueError(
                    '`suffix` must be the end of a file name with its dot '
                    f"('.png', '_mask.png'), got {one!r}"
                )
        self._flat: dict[str, list[str]] | None = None  # read when it is needed

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        file = self.mask_file(key)
        if file is None:
            return None
        with at(f"'{file}'"):
            if not self.belongs(key):
                return None
            states = file_states(*self.files(file))
            record = self.read(file, results['ori_shape'][:2], results)
            return replace(record, made_of=states)

    def files(self, file: Path) -> list[Path]:
        """The files that :meth:`read` opens for a mask file."""
        return [file]

    def mask_file(self, key: str) -> Path | None:
        """The mask's file of an image, None if missing.

        Raises:
            MaskError: There are several, or it may be another image's as well.
        """
        stem = self.inner_path(key).with_suffix('')
        mirrored, file = self._find_one(str(stem), key), None
        if mirrored is None and len(stem.parts) > 1:
            file = self._find_one(stem.name, key)
        if file is None:
            return mirrored
        if self._flat is None:
            self._flat = self._read_flat(self._masks())
        images = self._flat.get(normal_name(stem.name), [])
        if normal_name(str(stem)) not in images:
            return None  # the mask of an image at the top
        with at(f"'{file}'"):
            self._check_one_image(images)
        return file

    def _find_one(self, stem: str, key: str) -> Path | None:
        files = [self.find(stem + suffix, key) for suffix in self.suffixes]
        found = [file for file in files if file is not None]
        if len(found) > 1:
            raise self._several_error(key)
        return found[0] if found else None

    def _read_flat(self, masks: Iterable[str]) -> dict[str, list[str]]:
        """{mask: images} of the masks that are found by their stem alone."""
        start = len(key_prefix(self.images))
        if not os.path.isdir(os.path.join(self.data_root, self.images)):
            return {}
        return images_by_stem(masks, (key[start:] for key in self.image_keys()))

    def _masks(self) -> list[str]:
        """Names of the masks without their endings."""
        return [
            name[: -len(suffix)]
            for name in self._names()
            for suffix in self.suffixes
            if name.endswith(suffix)
        ]

    def _check_one_image(self, images: list[str]) -> None:
        if len(images) > 1:
            raise MaskError(
                f'one mask belongs to {len(images)} images by its stem, '
                f'{", ".join(map(repr, images[:3]))}: put masks into folders like '
                'those of the images, or rename the images and their masks'
            )

    def places(self, key: str) -> list[str]:
        stem = self.inner_path(key).with_suffix('')
        stems = dict.fromkeys([str(stem), stem.name])
        return [
            str(self.folder / (one + suffix))
            for one in stems
            for suffix in self.suffixes
        ]

    @abstractmethod
    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        """Read a mask file of an image with (H, W) ``shape``.

        Raises:
            MaskError: The mask cannot be used.
        """

    def owners(self) -> list[tuple[str, str]]:
        prefix, masks = key_prefix(self.images), self._masks()
        self._flat = self._read_flat(masks)
        return [
            (prefix + mask, prefix + image)
            for mask in masks
            for image in self._flat.get(normal_name(mask), [mask])
        ]

    def describe_missing(self) -> str:
        found = Counter(os.path.splitext(name)[1] for name in self._names())
        got = ', '.join(f"{count} '{end}'" for end, count in found.most_common(5))
        return (
            f'file that ends in {" or ".join(map(repr, self.suffixes))}, got '
            f'{got or "none at all"}: correct `suffix` or `{self.option}`'
        )

    def check(self) -> None:
        lower = tuple(suffix.lower() for suffix in self.suffixes)
        unseen = [
            name
            for name in self._names()
            if name.lower().endswith(lower) and not name.endswith(self.suffixes)
        ]
        owners = Counter(normal_name(key) for _, key in self.owners())
        if unseen and owners:
            raise MaskError(
                f"{len(unseen)} files of folder '{self.folder}' end in {lower} in "
                f"another case, for example '{unseen[0]}': rename the files, or "
                'give `suffix` a list of all endings'
            )
        for mask, images in self._flat.items():
            with at(f"'{self.folder}', '{mask}'"):
                self._check_one_image(images)
        for key, count in owners.most_common(1):
            if count > 1:
                raise self._several_error(key)
        super().check()

    def _names(self) -> list[str]:
        return list(walk_files(self.folder, self.option))

    def _several_error(self, key: str) -> MaskError:
        return MaskError(
            f"image '{key}' has several masks in '{self.folder}', with endings of "
            f'{self.suffixes}, in its own folder and by its stem alone, or in two '
            'normal forms of Unicode: remove all but one, or name one `suffix`'
        )
