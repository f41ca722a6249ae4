"""Masks drawn with CVAT, from either of two exports."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

from .base import MaskRecord, MaskSource
from .cvat_colours import LABELMAP, CVATColourMasks
from .cvat_shapes import CVATShapeMasks
from .errors import MaskError
from .io.archive import Archive
from .io.cvat_xml import ANNOTATIONS


class CVATMasks(MaskSource):
    """CVAT's export "Segmentation mask 1.1" or "CVAT for images 1.1".

    The content tells which export it is. A zip is read without unpacking.

    Args:
        masks: The zip, the unpacked folder, or ``annotations.xml``, below
            ``data_root``.
        images: Folder of the uploaded images below ``data_root``.
        data_root: The dataset's root.
        **choice: Options of :class:`.ObjectChoice`. A label is a category;
            "background" is context, unless an option names this label.

    Raises:
        FileNotFoundError: ``masks`` does not exist.
        MaskError: ``masks`` is neither export, or both.
    """

    def __init__(self, masks: str, images: str = '', data_root: str = '', **choice):
        super().__init__(data_root)
        has_shapes = _has_shapes(Path(data_root, masks))
        kind = CVATShapeMasks if has_shapes else CVATColourMasks
        self.export = kind(masks, images, data_root, **choice)
        self.endings = self.export.endings

    def __call__(self, results: dict) -> MaskRecord | None:
        return self.export(results)

    def keys(self) -> list[str]:
        return self.export.keys()

    def check(self) -> None:
        self.export.check()

    def broken(self) -> list[tuple[str, MaskError]]:
        return self.export.broken()

    def missing(self, images: Iterable[str]) -> list[str]:
        return self.export.missing(images)


def _has_shapes(path: Path) -> bool:
    if path.is_file() and not zipfile.is_zipfile(path):
        with path.open('rb') as stream:  # a damaged zip does not begin so
            return path.suffix.lower() == '.xml' or stream.read(1) == b'<'
    archive = Archive(path)
    found = archive.has(ANNOTATIONS), archive.has(LABELMAP)
    if all(found):
        raise MaskError(
            f"'{path}' has '{ANNOTATIONS}' and '{LABELMAP}', two exports: "
            'unpack each in a folder of its own'
        )
    return found[0]
