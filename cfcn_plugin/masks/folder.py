"""A folder of mask files that mirrors the folder of images."""
import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from .base import MaskError, MaskRecord, MaskSource, unknown_keys_error
from .io.files import walk_files
from .io.names import join_inside


class MirrorMasks(MaskSource):
    """Sources whose masks have the paths of the images, with other endings.

    Args:
        masks: Folder or archive of masks below ``data_root``.
        images: Folder of images below ``data_root``. Empty: ``data_root`` itself.
        data_root: The dataset's root.
    """
    endings = False

    def __init__(self, masks: str, images: str = '', data_root: str = ''):
        super().__init__(data_root)
        self.masks = masks
        self.images = images
        self.folder = Path(data_root, masks)

    def inner_path(self, key: str) -> PurePosixPath:
        """The part of an image's key that is below the folder of images.

        Raises:
            MaskError: The image is not below that folder.
        """
        try:
            return PurePosixPath(key).relative_to(self.images)
        except ValueError:
            raise MaskError(f"image '{key}' is not below images='{self.images}' of "
                            f'{type(self).__name__}: correct `images`') from None

    def find(self, name: str, key: str) -> Path | None:
        """The image's file ``name`` in the folder of masks, None if there is none.

        Raises:
            MaskError: The file lies outside the folder.
        """
        file = join_inside(self.folder, name, f"image '{key}'")
        return file if os.path.isfile(file) else None

    def image_keys(self) -> Iterator[str]:
        """Keys of the files in the folder of images, with their endings."""
        prefix = _prefix(self.images)
        for name in walk_files(Path(self.data_root, self.images), 'images'):
            yield prefix + name

    def check_owners(self, owners: Mapping[str, str], of: str) -> None:
        """Refuse masks that belong to no image.

        Args:
            owners: Mask -> key of its image without ending.
            of: The folder or archive of the masks, for the message.

        Raises:
            MaskError: There is no such image.
        """
        images = {os.path.splitext(key)[0] for key in self.image_keys()}
        strangers = [mask for mask, key in owners.items() if key not in images]
        if strangers:
            raise unknown_keys_error(strangers, 'masks', of, images)


class FolderMasks(MirrorMasks):
    """Sources with one file an image, at the image's own path.

    The mask of ``<data_root>/<images>/a/b.jpg`` is ``<data_root>/<masks>/a/b<suffix>``.
    ``._*`` files are left out.

    Args:
        masks, images, data_root: As in :class:`MirrorMasks`.
        suffix: What takes the place of the image's ending in a mask's name, such as
            ``'.png'`` or ``'_mask.png'``; or several, of which an image has one.
    """
    option = 'masks'  # what the folder of masks is called in the config

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
        file = self.file(self.key(results))
        if file is None:
            return None
        return self.read(file, results['ori_shape'][:2], results)

    @abstractmethod
    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        """The mask in a file.

        Args:
            file: The file.
            shape: The image's (H, W).
            results: The sample's dict, for sources that need its label.

        Raises:
            MaskError: The mask cannot be used.
        """

    def keys(self) -> list[str]:
        return self._keys(self._names())

    def check(self) -> None:
        names = self._names()
        keys = self._keys(names)
        if not keys:
            raise self._nothing_error(names)
        lower = tuple(suffix.lower() for suffix in self.suffixes)
        unseen = [name for name in names if name.lower().endswith(lower)
                  and not name.endswith(self.suffixes)]
        if unseen:
            raise MaskError(
                f"{len(unseen)} files of folder '{self.folder}' end in {lower} only "
                f"when case is ignored, for example '{unseen[0]}': rename them, or "
                'give `suffix` a list of all endings')
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if twice:
            raise self._several_error(twice[0])
        self.check_owners(dict(zip(keys, keys)), f"folder '{self.folder}'")

    def file(self, key: str) -> Path | None:
        """The mask file of the image ``key``, if the image has one.

        Raises:
            MaskError: The image has several, or the file lies outside the folder.
        """
        stem = str(self.inner_path(key).with_suffix(''))
        files = (self.find(stem + suffix, key) for suffix in self.suffixes)
        found = [file for file in files if file is not None]
        if len(found) > 1:
            raise self._several_error(key)
        return found[0] if found else None

    def image_keys(self) -> Iterator[str]:
        masks = _prefix(self.masks)  # which may lie in the folder of images
        return (key for key in super().image_keys()
                if not (key.startswith(masks) and key.endswith(self.suffixes)))

    def _names(self) -> list[str]:
        return list(walk_files(self.folder, self.option))

    def _keys(self, names: list[str]) -> list[str]:
        return sorted(
            _prefix(self.images) + name[:-len(suffix)]
            for name in names for suffix in self.suffixes if name.endswith(suffix))

    def _nothing_error(self, names: list[str]) -> MaskError:
        found = Counter(os.path.splitext(name)[1] for name in names)
        got = ', '.join(f"{count} '{end}'" for end, count in found.most_common(5))
        return MaskError(
            f"folder of masks '{self.folder}' has no file that ends in "
            f'{" or ".join(map(repr, self.suffixes))}, got {got or "none at all"}: '
            f'correct `suffix` or `{self.option}`')

    def _several_error(self, key: str) -> MaskError:
        return MaskError(
            f"image '{key}' has several masks in '{self.folder}', with endings of "
            f'{self.suffixes}: remove all but one, or name one `suffix`')


def _prefix(folder: str) -> str:
    """The beginning of all keys below a folder."""
    inner = PurePosixPath(os.path.normpath(folder)).as_posix()
    return '' if inner == '.' else f'{inner}/'
