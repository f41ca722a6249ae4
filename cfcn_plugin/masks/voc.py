"""The masks and boxes of Pascal VOC."""

from collections.abc import Sequence
from pathlib import Path
from posixpath import basename

import numpy as np

from cfcn_plugin.options import check_choice, check_names

from .base import MaskRecord
from .errors import MaskError, at, check_size
from .folder import FolderMasks
from .io.image import read_image
from .io.names import find_inside
from .io.scale import check_scale
from .io.shapes import draw_outlines
from .io.stored_names import normal_name
from .io.voc_xml import VOCObject, read_objects
from .io.xml_tree import read_xml
from .objects import IGNORED, Annotated, ObjectChoice

# VOC 2007 to 2012, in the order of the palette
VOC2007_CATEGORIES = (
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
)
BACKGROUND, VOID = 0, 255
FOLDERS = dict(
    segmentation='SegmentationClass', instances='SegmentationObject', bbox='Annotations'
)
VOIDS = ('ignore', 'context')
FIRST_PIXEL = (0, 0, 1, 1)  # 1 to 1 in the file; no tool writes it for fractions
REMEDY = 'Pascal VOC has pixels: multiply the numbers by the size of the image'


class VOCMasks(FolderMasks):
    """Pascal VOC: segmentation by class, by object, or boxes.

    Classes are VOC's twenty, in the order of mmpretrain's ``VOC`` and of the palette;
    use ``names`` for other data in this format. An image without a file has no mask:
    VOC has segmentations of some images and boxes of all images.

    Args:
        data_root: The dataset's root, such as ``data/VOCdevkit/VOC2012``.
        use: ``'segmentation'`` (``SegmentationClass/*.png``), ``'instances'``
            (``SegmentationObject/*.png``; number i is the i-th object of the XML), or
            ``'bbox'`` (``Annotations/*.xml``).
        images: Folder of images below ``data_root``.
        masks: Folder of the files for ``use``. None: VOC's standard folder, or
            ``annotations`` for ``'bbox'``.
        annotations: Folder of the XML files.
        void: Handling of the value 255, the band around objects: ``'ignore'`` or
            ``'context'``.
        difficult: Handling of objects marked difficult in the XML: ``'ignore'``,
            ``'causal'``, or ``'skip'`` (context). The default is ``'ignore'``, since
            VOC gives no image label for a difficult object.
        names: Categories in the order of the palette, from 1.
        **choice: Options of :class:`.ObjectChoice`. ``classes`` are ``names`` by
            default.
    """

    def __init__(
        self,
        data_root: str = '',
        use: str = 'segmentation',
        images: str = 'JPEGImages',
        masks: str | None = None,
        annotations: str = 'Annotations',
        void: str = 'ignore',
        difficult: str = 'ignore',
        names: Sequence[str] = VOC2007_CATEGORIES,
        **choice,
    ):
        check_choice('use', use, tuple(FOLDERS))
        check_choice('void', void, VOIDS)
        check_choice('difficult', difficult, tuple(IGNORED))
        check_names('names', names)
        boxes = use == 'bbox'
        if boxes and masks and annotations not in (FOLDERS[use], masks):
            raise ValueError(
                "`masks` and `annotations` name two folders for use='bbox'"
                f', {masks!r} and {annotations!r}: leave `masks` out'
            )
        folder = masks or (annotations if boxes else FOLDERS[use])
        super().__init__(folder, images, data_root, '.xml' if boxes else '.png')
        self.all_names = not (choice.get('classes') or choice.get('categories'))
        if choice.get('objects', 'all') != 'all':
            choice.setdefault('classes', names)
        self.choice = ObjectChoice(**choice)
        with at('`names`'):
            self.choice.check(names)
        self.use = use
        self.image_field = '<filename>' if boxes else ''
        self.annotations = annotations
        self.void = void
        self.difficult = difficult
        self.names = tuple(names)

    def named_image(self, key: str) -> str | None:
        if self.use != 'bbox':
            return None
        name = read_xml(self.mask_file(key)).findtext('filename') or ''
        return basename(normal_name(name.strip()))

    def files(self, file: Path) -> list[Path]:
        return [file, self._xml(file)] if self.use == 'instances' else [file]

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        if self.use == 'bbox':
            objects, size = self._objects(file, boxes=True)
            check_size(size or shape, shape)
            found = [self._make_object(one, one.box) for one in objects]
            return self.choice.record(found, _draw, results, str(file))
        values = read_image(file, shape)
        if values.ndim != 2 or values.dtype != np.uint8:
            raise MaskError(
                f'expected a palette or grey PNG of 8 bits, got shape {values.shape} '
                f'and {values.dtype}: save class numbers, not colours'
            )
        void = values == VOID
        return self.choice.record(
            self._segments(values, file),
            lambda numbers, _: np.isin(values, numbers).astype(np.uint8),
            results,
            str(file),
            void if self.void == 'ignore' and void.any() else None,
        )

    def _segments(self, values: np.ndarray, file: Path) -> list[Annotated]:
        numbers = [n for n in np.unique(values).tolist() if n not in (BACKGROUND, VOID)]
        if self.use == 'segmentation':
            known = [VOCObject(name, None, False) for name in self.names]
        elif numbers:
            xml = self._xml(file)
            with at(f"'{xml}'"):
                known, _ = self._objects(xml, boxes=False)
        if numbers and numbers[-1] > len(known):
            what = 'classes' if self.use == 'segmentation' else "XML file's objects"
            raise MaskError(
                f'the value {numbers[-1]}, expected 0, 255 or one of the '
                f'{len(known)} {what}: is it for another `use`?'
            )
        return [self._make_object(known[number - 1], number) for number in numbers]

    def _xml(self, file: Path) -> Path:
        """The file with the objects of a mask of instances."""
        inner = file.relative_to(self.folder).with_suffix('.xml').as_posix()
        folder = Path(self.data_root, self.annotations)
        return find_inside(folder, inner) or folder / inner

    def _objects(
        self, file: Path, boxes: bool
    ) -> tuple[list[VOCObject], tuple[int, int] | None]:
        objects, size = read_objects(file, self.choice.wants, boxes)
        strange = sorted({one.name for one in objects} - set(self.names))
        self.choice.check_case(strange)
        if strange and self.all_names:
            raise MaskError(
                f'objects {strange}, which are none of `names`: correct '
                'the file, or give `names`'
            )
        return objects, size

    def _make_object(self, one: VOCObject, outline) -> Annotated:
        return Annotated(one.name, outline, one.difficult and IGNORED[self.difficult])


def _draw(boxes: list, shape: tuple[int, int]) -> np.ndarray:
    """The union of boxes and rotated boxes of :class:`.VOCObject`."""
    for box in boxes:
        if not isinstance(box, tuple):
            check_scale(box.ravel().tolist(), shape, remedy=REMEDY)
        elif box != FIRST_PIXEL:
            check_scale((box[0] + 1, box[1] + 1, *box[2:]), shape, remedy=REMEDY)
    return draw_outlines(boxes, shape)
