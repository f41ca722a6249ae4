"""The lesion masks of IDRiD, the Indian Diabetic Retinopathy Image Dataset."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from cfcn_plugin.options import check_flag

from .base import MaskRecord, class_record
from .errors import at
from .io.files import walk_files
from .io.image import read_nonblack
from .mask_memory import file_states
from .mirror import MirrorMasks

# lesion -> the publisher's folder; the optic disc is anatomy, not a lesion
FOLDERS = {
    'MA': '1. Microaneurysms',
    'HE': '2. Haemorrhages',
    'EX': '3. Hard Exudates',
    'SE': '4. Soft Exudates',
    'OD': '5. Optic Disc',
}


class IDRiDMasks(MirrorMasks):
    """One mask per lesion, in the publisher's layout (Eq. 3).

    The masks of ``<data_root>/<images>/a. Training Set/IDRiD_01.jpg`` are
    ``<data_root>/<masks>/a. Training Set/1. Microaneurysms/IDRiD_01_MA.tif`` and so
    on. Pixels that are not black are lesion. An image has files only for its lesions.
    ``tools/get_data.py idrid`` writes smaller masks without the lesions' folders: with
    ``flat``, the masks of ``<images>/IDRiD_01.jpg`` are ``<masks>/IDRiD_01_MA.png`` ...

    Args:
        masks: Folder of masks below ``data_root``.
        images: Folder of images below ``data_root``.
        data_root: The parent folder of ``A. Segmentation``.
        lesions: The labels, a subset of MA, HE, EX, SE and OD. The class of a lesion is
            its index in this list.
        suffix: Ending of a mask file.
        flat: Whether the files of all lesions are in one folder.
    """

    def __init__(
        self,
        masks: str = 'A. Segmentation/2. All Segmentation Groundtruths',
        images: str = 'A. Segmentation/1. Original Images',
        data_root: str = '',
        lesions: Sequence[str] = ('MA', 'HE', 'EX', 'SE'),
        suffix: str = '.tif',
        flat: bool = False,
    ):
        super().__init__(masks, images, data_root)
        strange = [one for one in lesions if one not in FOLDERS]
        if strange or not lesions or len(set(lesions)) < len(lesions):
            raise ValueError(
                f'`lesions` must be some of {tuple(FOLDERS)}, each once, '
                f'got {list(lesions)}'
            )
        self.lesions = tuple(lesions)
        check_flag('flat', flat)
        self.suffix = suffix
        self.folders = {one: '' if flat else FOLDERS[one] for one in self.lesions}

    def __call__(self, results: dict) -> MaskRecord | None:
        key, shape = self.key(results), results['ori_shape'][:2]
        inner, files, planes, states = self.inner_path(key), [], {}, ()
        for label, (lesion, folder) in enumerate(self.folders.items()):
            name = inner.parent / folder / f'{inner.stem}_{lesion}{self.suffix}'
            file = self.find(str(name), key)
            states += file_states(self.folder / name if file is None else file)
            if file is not None:
                with at(f"'{file}'"):
                    if not self.belongs(key):
                        return None
                    planes[label] = read_nonblack(file, shape)
                files.append(str(file))
        if not files:
            return None
        return replace(class_record(planes, shape, "', '".join(files)), made_of=states)

    def describe_missing(self) -> str:
        return (
            f'mask of {self.lesions}: expected files like '
            f"'a. Training Set/1. Microaneurysms/IDRiD_01_MA{self.suffix}', or "
            f"with `flat` 'IDRiD_01_MA{self.suffix}'; correct `masks`, `lesions`, "
            '`suffix` or `flat`'
        )

    def owners(self) -> list[tuple[str, str]]:
        owners = []
        for name in walk_files(self.folder, 'masks'):
            path = PurePosixPath(name)
            for lesion, folder in self.folders.items():
                end = f'_{lesion}{self.suffix}'
                if path.match(f'{folder}/*{end}' if folder else f'*{end}'):
                    inner = path.parent.parent if folder else path.parent
                    key = PurePosixPath(self.images, inner, path.name[: -len(end)])
                    owners.append((name, key.as_posix()))
        return owners
