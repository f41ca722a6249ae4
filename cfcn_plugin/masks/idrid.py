"""The lesion masks of IDRiD, the Indian Diabetic Retinopathy Image Dataset."""
import os
from pathlib import Path, PurePosixPath

import numpy as np

from .base import MaskError, MaskRecord, MaskSource, class_record, unknown
from .folder import image_keys, walk
from .io.image import read_image
from .io.names import below, inside

# lesion -> the publisher's folder; the optic disc is anatomy, not a lesion
FOLDERS = {
    'MA': '1. Microaneurysms',
    'HE': '2. Haemorrhages',
    'EX': '3. Hard Exudates',
    'SE': '4. Soft Exudates',
    'OD': '5. Optic Disc',
}


class IDRiDMasks(MaskSource):
    """One mask a lesion, in the publisher's layout (Eq. 3).

    The masks of ``<data_root>/<images>/a. Training Set/IDRiD_01.jpg`` are
    ``<data_root>/<masks>/a. Training Set/1. Microaneurysms/IDRiD_01_MA.tif`` and so
    on; what is not black is lesion. An image has a file only for what it has.
    ``tools/get_data.py idrid`` writes smaller ones without the lesions' folders: with
    ``flat``, those of ``<images>/IDRiD_01.jpg`` are ``<masks>/IDRiD_01_MA.png`` ...

    Args:
        masks: Folder of masks below ``data_root``.
        images: Folder of images below ``data_root``.
        data_root: The folder that ``A. Segmentation`` is in.
        lesions: Which of MA, HE, EX, SE and OD are labels; the class of each is its
            place in this list.
        suffix: Ending of a mask file.
        flat: Whether all lesions' files lie in one folder.
    """
    endings = False

    def __init__(self,
                 masks: str = 'A. Segmentation/2. All Segmentation Groundtruths',
                 images: str = 'A. Segmentation/1. Original Images',
                 data_root: str = '',
                 lesions: list[str] = ('MA', 'HE', 'EX', 'SE'),
                 suffix: str = '.tif',
                 flat: bool = False):
        super().__init__(data_root)
        strange = [one for one in lesions if one not in FOLDERS]
        if strange or not lesions or len(set(lesions)) < len(lesions):
            raise ValueError(f'`lesions` must be some of {tuple(FOLDERS)}, each once, '
                             f'got {list(lesions)}')
        self.images = images
        self.lesions = tuple(lesions)
        self.suffix = suffix
        self.folders = {one: '' if flat else FOLDERS[one] for one in self.lesions}
        self.folder = Path(data_root, masks)

    def __call__(self, results: dict) -> MaskRecord | None:
        shape = results['ori_shape'][:2]
        planes, files = {}, []
        for label, file in self.files(self.key(results)):
            planes[label] = _not_black(read_image(file, shape))
            files.append(str(file))
        return class_record(planes, shape, "', '".join(files)) if files else None

    def files(self, key: str) -> list[tuple[int, Path]]:
        """(class, file) of each lesion that the image ``key`` has a mask of."""
        inner = inside(key, self.images, self)
        found = []
        for label, lesion in enumerate(self.lesions):
            name = f'{inner.stem}_{lesion}{self.suffix}'
            file = below(self.folder, str(inner.parent / self.folders[lesion] / name),
                         f"image '{key}'")
            if file.is_file():
                found.append((label, file))
        return found

    def keys(self) -> list[str]:
        return sorted(set(self._owners().values()))

    def check(self) -> None:
        owners = self._owners()
        if not owners:
            raise MaskError(
                f"'{self.folder}' has no mask of {self.lesions}: expected files like "
                f"'a. Training Set/1. Microaneurysms/IDRiD_01_MA{self.suffix}', or "
                f"with `flat` 'IDRiD_01_MA{self.suffix}'; correct `masks`, `lesions`, "
                '`suffix` or `flat`')
        images = {
            os.path.splitext(key)[0]
            for key in image_keys(self.data_root, self.images)
        }
        strangers = {file for file, key in owners.items() if key not in images}
        if strangers:
            raise unknown(strangers, 'masks', f"folder '{self.folder}'")

    def _owners(self) -> dict[str, str]:
        """Mask file -> key of its image without ending, for the chosen lesions."""
        owners = {}
        for name in walk(self.folder, 'masks'):
            path = PurePosixPath(name)
            for lesion, folder in self.folders.items():
                end = f'_{lesion}{self.suffix}'
                if path.match(f'{folder}/*{end}' if folder else f'*{end}'):
                    owners[name] = PurePosixPath(
                        self.images, path.parent.parent if folder else path.parent,
                        path.name[:-len(end)]).as_posix()
        return owners


def _not_black(values: np.ndarray) -> np.ndarray:
    """uint8 {0, 1}, (H, W); of a file with transparency, what shows."""
    if values.ndim == 2:
        return (values != 0).astype(np.uint8)
    shows = values[..., -1] != 0 if values.shape[-1] in (2, 4) else True
    colours = values[..., :3] if values.shape[-1] > 2 else values[..., :1]
    return ((colours != 0).any(-1) & shows).astype(np.uint8)
