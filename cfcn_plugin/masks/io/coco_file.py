"""Reading COCO's instance JSON: every annotation is checked, and packed at once."""
import logging
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cfcn_plugin.masks.base import MaskError, expect

from .coco_polygons import check_bounds, polygon_bounds, read_polygons
from .json_file import read_json
from .names import image_name
from .rectangles import Box, read_box
from .rle import read_rle

PARTS = ('images', 'annotations', 'categories')
FIELDS = ('id', 'image_id', 'category_id')
Outline = list[array] | tuple[bytes, tuple[int, int]] | Box


class Instance(NamedTuple):
    """One annotation, its outline packed and not yet compared with its image.

    Attributes:
        outline: Polygons [x0, y0, x1, y1, ...], or compressed RLE counts and their
            (H, W), or a box (x0, y0, x1, y1); None for a box without an area.
    """
    id: Any
    image: Any
    category: Any
    crowd: bool
    outline: Outline | None


class CocoFile:
    """A COCO instance file: its categories, and its instances one by one.

    An annotation is packed as soon as its closing brace is read, so that the file's
    millions of numbers are never all in memory as Python objects.

    Args:
        file: The JSON.
        use: ``'segmentation'`` or ``'bbox'``.
        images: Folder below the data root that ``file_name`` is relative to.

    Attributes:
        names: Category id -> name.

    Raises:
        FileNotFoundError: There is no such file.
        MaskError: The file is not in COCO's format; the message says where.
    """

    def __init__(self, file: Path, use: str, images: str = ''):
        self.file = file
        self.use = use
        content = read_json(file, dict, self._pack)
        expect(all(isinstance(content.get(part), list) for part in PARTS),
               f"'{file}' is no COCO instance file", f'an object with lists {PARTS}',
               list(content))
        self._instances = content['annotations']
        if not self._instances:
            raise MaskError(f"'{file}' holds no annotation")
        self.names = self._read_categories(content['categories'])
        self._images = self._read_images(content['images'], images)

    def instances(self) -> Iterator[tuple[str, tuple[int, int], Instance]]:
        """Key, (H, W) and instance; the file keeps no instance that was given."""
        flat = []
        for place, one in enumerate(self._instances):
            self._instances[place] = None
            if not isinstance(one, Instance):
                expect(False, f"'{self.file}', annotations[{place}]",
                       f"an object with {[*FIELDS, self.use]}", one)
            where = self._where(one.id)
            for field, value, known in (('image', one.image, self._images),
                                        ('category', one.category, self.names)):
                if value not in known:
                    raise MaskError(f'{where}: {field}_id {value!r} is not in the '
                                    f'file: correct it, or add its {field}')
            if one.outline is None:
                flat.append(one.id)
                continue
            key, shape = self._images[one.image]
            self._check_fits(one.outline, shape, where)
            yield key, shape, one
        if flat:
            logging.getLogger(__name__).warning(
                f"'{self.file}': {len(flat)} boxes without width or height are left "
                f'out, of annotations {", ".join(map(str, flat[:4]))}')

    def _where(self, id) -> str:
        return f"'{self.file}', annotation {id}"

    def _pack(self, entry: dict) -> dict | Instance:
        """An annotation as an Instance, any other object as it is."""
        if 'image_id' not in entry and 'category_id' not in entry:
            return entry
        where = self._where(entry.get('id'))
        missing = [field for field in (*FIELDS, self.use) if field not in entry]
        if missing:
            raise MaskError(f'{where}: {missing} missing, got {list(entry)}')
        image, category = entry['image_id'], entry['category_id']
        crowd = entry.get('iscrowd', 0)
        expect(not isinstance(image, list | dict) and crowd in (0, 1)
               and not isinstance(category, list | dict), where,
               "numbers 'image_id', 'category_id' and 'iscrowd' 0 or 1",
               (image, category, crowd))
        outline = self._outline(entry[self.use], where)
        return Instance(entry['id'], image, category, bool(crowd), outline)

    def _outline(self, given, where: str) -> Outline | None:
        if self.use == 'segmentation':
            read = read_rle if isinstance(given, dict) else read_polygons
            return read(given, where)
        expect(isinstance(given, list), where, "'bbox' [x, y, width, height]", given)
        if _is_flat(given):  # COCO's own train2017 has two
            return None
        return read_box(given, where, 'xywh', ' (COCO boxes are x, y, width, height)')

    def _check_fits(self, outline: Outline, shape: tuple, where: str) -> None:
        if self.use == 'bbox':
            check_bounds(outline, shape, where)
        elif isinstance(outline, list):
            for polygon in outline:
                check_bounds(polygon_bounds(polygon), shape, where)
        elif outline[1] != shape:
            raise MaskError(f'{where}: RLE of size {list(outline[1])}, expected its '
                            f"image's [height, width] {list(shape)}: make it again at "
                            'the size of the image')

    def _read_categories(self, entries: list) -> dict[Any, str]:
        names = {}
        for place, entry in enumerate(entries):
            where = f"'{self.file}', categories[{place}]"
            expect(isinstance(entry, dict) and isinstance(entry.get('name'), str)
                   and isinstance(entry.get('id'), int | str), where,
                   "an object with 'id' and 'name'", entry)
            if entry['id'] in names:
                raise MaskError(f"{where}: id {entry['id']} stands twice, for "
                                f"'{names[entry['id']]}' and '{entry['name']}'")
            names[entry['id']] = entry['name']
        return names

    def _read_images(self, entries: list, folder: str) -> dict[Any, tuple]:
        images, keys = {}, set()
        for place, entry in enumerate(entries):
            where = f"'{self.file}', images[{place}]"
            expect(isinstance(entry, dict) and isinstance(entry.get('id'), int | str)
                   and all(isinstance(entry.get(side), int) and entry[side] > 0
                           for side in ('height', 'width')), where,
                   "an object with 'id', 'file_name', 'height' and 'width' in pixels",
                   entry)
            key = image_name(entry.get('file_name'), where, folder)
            if entry['id'] in images or key in keys:
                what = 'id' if entry['id'] in images else 'file_name'
                raise MaskError(f"{where}: {what} {entry[what]!r} stands twice: each "
                                'image must have its own id and file_name')
            keys.add(key)
            images[entry['id']] = key, (entry['height'], entry['width'])
        return images


def _is_flat(box: list) -> bool:
    """Whether this is a COCO box without width or without height."""
    return (len(box) == 4 and all(type(n) in (int, float) for n in box)
            and all(map(math.isfinite, box)) and min(box[2:]) == 0)
