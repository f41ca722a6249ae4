"""A folder of mask files that mirrors the folder of images."""
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from .base import MaskError, MaskSource, unknown


class FolderMasks(MaskSource):
    """Sources with one file a picture, at the picture's own path.

    Args:
        masks: Folder of masks below ``data_root``.
        images: Folder of images below ``data_root``. Empty: ``data_root`` itself.
        data_root: The dataset's root.
        suffix: Ending of a mask file, with its dot.
    """

    def __init__(self, masks: str, images: str, data_root: str, suffix: str):
        super().__init__(data_root)
        self.masks = masks
        self.images = images
        self.suffix = suffix

    def keys(self) -> list[str]:
        """Keys without the picture's ending, which a mask file does not tell."""
        folder = Path(self.data_root, self.masks)
        if not folder.is_dir():
            raise FileNotFoundError(f"folder of masks '{folder}' does not exist: "
                                    'correct its name or `data_root`')
        inner = (file.relative_to(folder).with_suffix('')
                 for file in sorted(folder.rglob(f'*{self.suffix}'))
                 if not file.name.startswith('._'))
        return [PurePosixPath(self.images, name).as_posix() for name in inner]

    def check(self) -> None:
        root = Path(self.data_root)
        pictures = {
            file.relative_to(root).with_suffix('').as_posix()
            for file in Path(root, self.images).rglob('*') if file.is_file()
        }
        strangers = set(self.keys()) - pictures
        if strangers:
            raise unknown(strangers, 'masks', f"folder '{root / self.masks}'")

    def file(self, key: str) -> Path | None:
        """The mask file of the image ``key``, if it has one."""
        try:
            inner = PurePosixPath(key).relative_to(self.images)
        except ValueError:
            raise MaskError(f"image '{key}' is not below images='{self.images}' of "
                            f'{type(self).__name__}: correct `images`') from None
        file = Path(self.data_root, self.masks, inner.with_suffix(self.suffix))
        return file if file.is_file() else None


def read_image(file: Path, shape: tuple[int, int]) -> np.ndarray:
    """The values of an image file as they are stored, (H, W) or (H, W, channels).

    Raises:
        MaskError: It can not be read, or has another size than its picture.
    """
    try:
        with Image.open(file) as image:
            values = np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise MaskError(f"mask '{file}' can not be read as an image ({error}): is it "
                        'whole?') from error
    if values.shape[:2] != tuple(shape):
        raise MaskError(f"mask '{file}' has height and width {values.shape[:2]}, its "
                        f'picture {tuple(shape)}: make the mask at the size of its '
                        'picture')
    return values
