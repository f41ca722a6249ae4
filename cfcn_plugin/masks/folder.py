"""A folder of mask files that mirrors the folder of images."""
import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .base import MaskError, MaskRecord, MaskSource, unknown
from .io.names import below, inside


class FolderMasks(MaskSource):
    """Sources with one file an image, at the image's own path.

    The mask of ``<data_root>/<images>/a/b.jpg`` is ``<data_root>/<masks>/a/b<suffix>``.
    ``._*`` files are not looked at.

    Args:
        masks: Folder of masks below ``data_root``.
        images: Folder of images below ``data_root``. Empty: ``data_root`` itself.
        data_root: The dataset's root.
        suffix: What takes the place of the image's ending in a mask's name, such as
            ``'.png'`` or ``'_mask.png'``; or several, of which an image has one.
    """

    endings = False
    option = 'masks'  # what the folder of masks is called in the config

    def __init__(self,
                 masks: str,
                 images: str = '',
                 data_root: str = '',
                 suffix: str | list[str] = '.png'):
        super().__init__(data_root)
        suffixes = (suffix, ) if isinstance(suffix, str) else tuple(suffix)
        for one in suffixes or ('', ):
            if '.' not in one or '/' in one:
                raise ValueError('`suffix` must be the end of a file name with its dot '
                                 f"('.png', '_mask.png'), got {one!r}")
        self.masks = masks
        self.images = images
        self.suffixes = suffixes
        self.folder = Path(data_root, masks)

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
            results: The sample's dict, for sources that ask for its label.

        Raises:
            MaskError: It cannot be used.
        """

    def keys(self) -> list[str]:
        return self._keys(self._names())

    def check(self) -> None:
        names = self._names()
        keys = self._keys(names)
        if not keys:
            raise self._nothing(names)
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
            raise self._several(twice[0])
        strangers = set(keys) - set(self._images())
        if strangers:
            raise unknown(
                strangers, 'masks', f"folder '{self.folder}'", self._images())

    def file(self, key: str) -> Path | None:
        """The mask file of the image ``key``, if it has one.

        Raises:
            MaskError: It has several, or lies outside the folder.
        """
        stem = str(inside(key, self.images, self).with_suffix(''))
        files = [below(self.folder, stem + suffix, f"image '{key}'")
                 for suffix in self.suffixes]
        found = [file for file in files if os.path.isfile(file)]
        if len(found) > 1:
            raise self._several(key)
        return found[0] if found else None

    def _names(self) -> list[str]:
        return list(walk(self.folder, self.option))

    def _keys(self, names: list[str]) -> list[str]:
        return sorted(
            _prefix(self.images) + name[:-len(suffix)]
            for name in names for suffix in self.suffixes if name.endswith(suffix))

    def _images(self) -> Iterator[str]:
        """Keys of what lies in the images' folder and is no mask, without endings."""
        masks = _prefix(self.masks)
        for key in image_keys(self.data_root, self.images):
            if not (key.startswith(masks) and key.endswith(self.suffixes)):
                yield os.path.splitext(key)[0]

    def _nothing(self, names: list[str]) -> MaskError:
        found = Counter(os.path.splitext(name)[1] for name in names)
        got = ', '.join(f"{count} '{end}'" for end, count in found.most_common(5))
        return MaskError(
            f"folder of masks '{self.folder}' has no file that ends in "
            f'{" or ".join(map(repr, self.suffixes))}, got {got or "none at all"}: '
            f'correct `suffix` or `{self.option}`')

    def _several(self, key: str) -> MaskError:
        return MaskError(
            f"image '{key}' has several masks in '{self.folder}', with endings of "
            f'{self.suffixes}: remove all but one, or name one `suffix`')


def image_keys(data_root: str, images: str) -> Iterator[str]:
    """Keys of the files below a folder of images, with their endings."""
    for name in walk(Path(data_root, images), 'images'):
        yield _prefix(images) + name


def _prefix(folder: str) -> str:
    """What keys below a folder begin with."""
    inner = PurePosixPath(os.path.normpath(folder)).as_posix()
    return '' if inner == '.' else f'{inner}/'


def walk(folder: str | Path, option: str) -> Iterator[str]:
    """Paths of the files below a folder, relative to it, with no stat for each.

    ``._*`` files, which some archives bring, are left out. Links are followed, but
    for those to a folder that they are in.

    Args:
        folder: The folder.
        option: The option that named it.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"folder of {option} '{folder}' does not exist: "
                                f'correct `{option}` or `data_root`')
    for top, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        folders[:] = [name for name in folders if not _is_loop(top, name)]
        inner = os.path.relpath(top, folder).replace(os.sep, '/')
        prefix = '' if inner == '.' else inner + '/'
        for name in files:
            if not name.startswith('._'):
                yield prefix + name


def _is_loop(top: str, name: str) -> bool:
    path = os.path.join(top, name)
    if not os.path.islink(path):
        return False
    here = os.path.join(os.path.realpath(top), '')
    return here.startswith(os.path.join(os.path.realpath(path), ''))


def _raise(error: OSError) -> None:
    raise error
