"""A folder of mask files with the same layout as the folder of images."""
import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from .base import (
    ForeignImageError,
    MaskError,
    MaskRecord,
    MaskSource,
    at,
    unknown_keys_error,
)
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
        self._prefix = _prefix(masks)

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
                f'{type(self).__name__}: correct `images`') from None

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
            f'each has a mask of its own name{correct}')

    def named_image(self, key: str) -> str | None:
        """The name of the image that the file of an image's mask names, if any.

        A :func:`.normal_name` without folders.
        """

    def image_keys(self) -> Iterator[str]:
        """Keys of the files in the folder of images, with their endings."""
        prefix = _prefix(self.images)
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


class FolderMasks(MirrorMasks):
    """Base of sources with one file per image, at the image's path.

    The mask of ``<data_root>/<images>/a/b.jpg`` is ``<data_root>/<masks>/a/b<suffix>``.
    ``._*`` files are left out.

    Args:
        masks, images, data_root: As in :class:`MirrorMasks`.
        suffix: Replacement for the image's file ending in a mask's name, such as
            ``'.png'`` or ``'_mask.png'``; or several, if endings differ among images.
    """
    option = 'masks'  # name of the config's option for the folder of masks

    def __init__(self,
                 masks: str,
                 images: str = '',
                 data_root: str = '',
                 suffix: str | list[str] = '.png'):
        super().__init__(masks, images, data_root)
        self.suffixes = (suffix, ) if isinstance(suffix, str) else tuple(suffix)
        for one in self.suffixes or ('', ):
            if '.' not in one or '/' in one:
                raise ValueError('`suffix` must be the end of a file name with its dot '
                                 f"('.png', '_mask.png'), got {one!r}")

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        file = self.mask_file(key)
        if file is None:
            return None
        with at(f"'{file}'"):
            if not self.belongs(key):
                return None
            return self.read(file, results['ori_shape'][:2], results)

    def mask_file(self, key: str) -> Path | None:
        """The mask's file of an image, None if missing.

        Raises:
            MaskError: There are several.
        """
        stem = str(self.inner_path(key).with_suffix(''))
        files = [self.find(stem + suffix, key) for suffix in self.suffixes]
        found = [file for file in files if file is not None]
        if len(found) > 1:
            raise self._several_error(key)
        return found[0] if found else None

    @abstractmethod
    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        """Read a mask file of an image with (H, W) ``shape``.

        Raises:
            MaskError: The mask cannot be used.
        """

    def owners(self) -> list[tuple[str, str]]:
        keys = (_prefix(self.images) + name[:-len(suffix)] for name in self._names()
                for suffix in self.suffixes if name.endswith(suffix))
        return [(key, key) for key in keys]

    def describe_missing(self) -> str:
        found = Counter(os.path.splitext(name)[1] for name in self._names())
        got = ', '.join(f"{count} '{end}'" for end, count in found.most_common(5))
        return (f'file that ends in {" or ".join(map(repr, self.suffixes))}, got '
                f'{got or "none at all"}: correct `suffix` or `{self.option}`')

    def check(self) -> None:
        lower = tuple(suffix.lower() for suffix in self.suffixes)
        unseen = [name for name in self._names() if name.lower().endswith(lower)
                  and not name.endswith(self.suffixes)]
        owners = Counter(normal_name(key) for _, key in self.owners())
        if unseen and owners:
            raise MaskError(
                f"{len(unseen)} files of folder '{self.folder}' end in {lower} in "
                f"another case, for example '{unseen[0]}': rename the files, or "
                'give `suffix` a list of all endings')
        for key, count in owners.most_common(1):
            if count > 1:
                raise self._several_error(key)
        super().check()

    def _names(self) -> list[str]:
        return list(walk_files(self.folder, self.option))

    def _several_error(self, key: str) -> MaskError:
        return MaskError(
            f"image '{key}' has several masks in '{self.folder}', with endings of "
            f'{self.suffixes} or in two normal forms of Unicode: remove all but one, '
            'or name one `suffix`')


def _prefix(folder: str) -> str:
    """The common prefix of all keys below a folder."""
    inner = PurePosixPath(os.path.normpath(folder)).as_posix()
    return '' if inner == '.' else f'{inner}/'
