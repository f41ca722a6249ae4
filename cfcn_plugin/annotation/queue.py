"""Which images a person is to mask, where one stopped, and where masks go."""
from collections.abc import Iterable
from pathlib import Path

import mmcv
import numpy as np

from cfcn_plugin.masks import MaskError, PNGMasks

from .png_folder import check_own_mask, images_in, mask_name, write_png, write_text

SKIPPED = 'skipped.txt'


class AnnotationQueue:
    """Images in a fixed order; one is done when its mask is there.

    The mask of ``<images>/a/b.jpg`` is ``<masks>/a/b.png``, 0 and 255, of the
    image's height and width as mmcv loads it, upright by its EXIF orientation.
    Skipped images are remembered in ``<masks>/skipped.txt``.

    Args:
        images: Folder of images.
        masks: Folder of masks, made when the first one is saved.
        names: The images to mask, as paths below ``images``. None: all.
        redo: Look at all images again, and replace the masks of earlier sessions.

    Raises:
        FileNotFoundError: An image does not exist.
        MaskError: Two images would share a mask.
    """

    def __init__(self,
                 images: str | Path,
                 masks: str | Path,
                 names: Iterable[str] | None = None,
                 redo: bool = False):
        self.images = Path(images)
        self.masks = Path(masks)
        self.names = (
            images_in(images, leave_out=masks) if names is None else list(names))
        self.redo = redo
        check_own_mask(self.names)
        missing = [n for n in self.names if not Path(images, n).is_file()]
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} of {len(self.names)} images do not exist below "
                f"'{images}', for example '{missing[0]}'")
        self._mine: set[str] = set()  # saved in this session
        self._done = set()
        if not redo:
            self._done.update(n for n in self.names if self.file(n).is_file())
        self._skipped: set[str] = set()
        if Path(masks, SKIPPED).is_file():
            text = Path(masks, SKIPPED).read_text(encoding='utf-8')
            self._skipped.update(text.splitlines())

    def __len__(self) -> int:
        return len(self.names)

    def file(self, name: str) -> Path:
        return self.masks / mask_name(name)

    def is_done(self, name: str) -> bool:
        return name in self._done

    def is_skipped(self, name: str) -> bool:
        return name in self._skipped

    def is_earlier(self, name: str) -> bool:
        """Whether it has a mask that was not made in this session."""
        return name not in self._mine and self.file(name).exists()

    def next_open(self, after: int = -1) -> int | None:
        """Index of the next image after this, and round, still to be masked."""
        order = [*range(after + 1, len(self)), *range(after + 1)]
        for index in order:
            name = self.names[index]
            if not self.is_done(name) and not self.is_skipped(name):
                return index
        return None

    def image(self, name: str) -> np.ndarray:
        """(H, W, 3) uint8, RGB, as the training pipeline loads it.

        Raises:
            MaskError: It cannot be read.
        """
        path = self.images / name
        image = mmcv.imread(str(path))
        if image is None:
            raise MaskError(f"image '{path}' cannot be read: is it whole?")
        return image[..., ::-1]

    def mask(self, name: str, shape: tuple[int, int]) -> np.ndarray:
        """uint8 {0, 1}: the mask there is, else zeros.

        Raises:
            MaskError: It cannot be read, or has another size than its image.
        """
        file = self.file(name)
        if not file.is_file():
            return np.zeros(shape, np.uint8)
        source = PNGMasks('', data_root=str(self.masks))
        mask = source(dict(img_path=self.masks / name, ori_shape=shape)).mask
        if mask.shape != shape:
            raise MaskError(f"mask '{file}' has height and width {mask.shape}, its "
                            f'image {shape}')
        return mask

    def save(self, name: str, mask: np.ndarray, replace: bool = False) -> None:
        """Write a mask.

        Args:
            name: The image.
            mask: uint8 {0, 1}, (H, W).
            replace: Whether a mask of an earlier session may be replaced.

        Raises:
            FileExistsError: There is one, and it may not.
        """
        if self.is_earlier(name) and not (replace or self.redo):
            raise FileExistsError(f"'{self.file(name)}' is from an earlier session")
        write_png(self.file(name), mask * np.uint8(255))
        self._mine.add(name)
        self._done.add(name)
        self._set_skipped(self._skipped - {name})

    def skip(self, name: str) -> None:
        """Leave an image without a mask, also in the next session."""
        self._set_skipped(self._skipped | {name})

    def _set_skipped(self, names: set[str]) -> None:
        if names == self._skipped:
            return
        self._skipped = names
        self.masks.mkdir(parents=True, exist_ok=True)
        write_text(self.masks / SKIPPED, ''.join(f'{n}\n' for n in sorted(names)))


def names_below(images: str | Path,
                keys: Iterable[str],
                data_root: str | Path | None = None) -> tuple[Path, list[str]]:
    """The data root of a list's keys, and the keys as names below a folder.

    Args:
        images: Folder of images.
        keys: Paths below the data root, as ``tools/choose_guided.py`` writes them.
        data_root: The root. None: the deepest of ``images`` and the folders around it
            below which all keys exist.

    Raises:
        FileNotFoundError: There is no such root.
        MaskError: A key's image is not below ``images``.
    """
    keys, folder = list(keys), Path(images).absolute()
    roots = [folder, *folder.parents] if data_root is None else [Path(data_root)]
    for root in roots:
        if all(Path(root, key).is_file() for key in keys):
            break
    else:
        where = f"'{images}' or a folder around it" if data_root is None else (
            f"'{data_root}'")
        absent = next(k for k in keys if not Path(roots[0], k).is_file())
        raise FileNotFoundError(
            f"the images of the list do not exist below {where}, for example "
            f"'{absent}': say with --data-root which folder the list's paths begin at")
    names = []
    for key in keys:
        path = Path(root, key).absolute()
        if not path.is_relative_to(folder):
            raise MaskError(f"'{key}' of the list is not below '{images}': give the "
                            'folder that holds all images of the list')
        names.append(path.relative_to(folder).as_posix())
    return root, names
