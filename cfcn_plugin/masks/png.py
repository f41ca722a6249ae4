"""Masks in a folder of images, one file a picture."""
from pathlib import Path, PurePosixPath

import numpy as np
from mmpretrain.registry import TASK_UTILS
from PIL import Image, UnidentifiedImageError

from .base import MaskError, MaskRecord, MaskSource, unknown


@TASK_UTILS.register_module()
class PNGMasks(MaskSource):
    """A folder of PNG masks that mirrors the folder of images.

    The mask of ``<data_root>/<images>/a/b.jpg`` is ``<data_root>/<masks>/a/b.png``.
    Accepted are 1-bit, 8-bit, 16-bit and palette files (the value of a palette
    file is the index, not the colour). ``._*`` files are not looked at.

    Args:
        masks: Folder of masks below ``data_root``.
        images: Folder of images below ``data_root``. Empty: ``data_root`` itself.
        data_root: The dataset's root.
        suffix: Ending of a mask file, with its dot.
        causal: Values that mean causal. None: the file must be binary, 0 and one
            of 1 and the type's maximum (255, or 65535 for 16 bits).
        ignore: Values that mean "nobody knows".
    """

    def __init__(self,
                 masks: str,
                 images: str = '',
                 data_root: str = '',
                 suffix: str = '.png',
                 causal: list[int] | None = None,
                 ignore: list[int] = ()):
        super().__init__(data_root)
        if not suffix.startswith('.'):
            raise ValueError(f"`suffix` must begin with a dot ('.png'), got {suffix!r}")
        self.masks = masks
        self.images = images
        self.suffix = suffix
        self.causal = causal
        self.ignore = tuple(ignore)

    def __call__(self, results: dict) -> MaskRecord | None:
        file = self.file(self.key(results))
        if not file.is_file():
            return None
        values = self.read(file)
        ignore = None
        if self.ignore:
            ignore = np.isin(values, self.ignore).astype(np.uint8)
        return MaskRecord(self._binary(values, file), str(file), ignore=ignore)

    def keys(self) -> list[str]:
        """Keys without the picture's ending, which a mask file does not tell."""
        root = Path(self.data_root, self.masks)
        if not root.is_dir():
            raise FileNotFoundError(
                f"folder of masks '{root}' does not exist: correct `masks` "
                f'({self.masks!r}) or `data_root` ({self.data_root!r})')
        return [
            PurePosixPath(self.images,
                          file.relative_to(root).with_suffix('')).as_posix()
            for file in sorted(root.rglob(f'*{self.suffix}'))
            if not file.name.startswith('._')
        ]

    def check(self) -> None:
        root = Path(self.data_root)
        pictures = {
            file.relative_to(root).with_suffix('').as_posix()
            for file in Path(root, self.images).rglob('*') if file.is_file()
        }
        strangers = set(self.keys()) - pictures
        if strangers:
            raise unknown(strangers, 'masks', f"folder '{root / self.masks}'")

    def file(self, key: str) -> Path:
        """Where the mask of the image ``key`` is, if it has one."""
        inner = PurePosixPath(key)
        if self.images:
            try:
                inner = inner.relative_to(self.images)
            except ValueError:
                raise MaskError(
                    f"image '{key}' is not below images='{self.images}' of "
                    f'{type(self).__name__}: correct `images`') from None
        return Path(self.data_root, self.masks, inner.with_suffix(self.suffix))

    @staticmethod
    def read(file: Path) -> np.ndarray:
        """The file's values, (H, W), as they are stored."""
        try:
            with Image.open(file) as image:
                values = np.array(image)
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise MaskError(f"mask '{file}' can not be read as an image ({error}): "
                            'is it whole?') from error
        if values.ndim != 2:
            raise MaskError(
                f"mask '{file}' has {values.shape[-1]} channels, expected one (grey, "
                '1-bit or palette): save it as a single channel')
        return values

    def _binary(self, values: np.ndarray, file: Path) -> np.ndarray:
        if self.causal is not None:
            return np.isin(values, self.causal).astype(np.uint8)
        top = 1 if values.dtype == bool else np.iinfo(values.dtype).max
        if values.dtype == np.int32:
            top = np.iinfo(np.uint16).max  # how Pillow opens some 16-bit files
        found = set(np.unique(values).tolist()) - set(self.ignore)
        if not (found <= {0, 1} or found <= {0, top}):
            shown = ', '.join(map(str, sorted(found)[:8]))
            raise MaskError(
                f"mask '{file}' is not binary: expected values 0 and 1, or 0 and "
                f'{top}, got {shown}{" ..." if len(found) > 8 else ""}; '
                'say which are causal with `causal=[...]`')
        return (values != 0).astype(np.uint8) if not self.ignore else (
            (values != 0) & ~np.isin(values, self.ignore)).astype(np.uint8)
