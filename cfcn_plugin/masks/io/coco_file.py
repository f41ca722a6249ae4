"""Reading COCO's instance JSON: every annotation is checked, and packed at once."""
import logging
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cfcn_plugin.masks.base import MaskError, at, expect

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
               f'a COCO instance file, an object with lists {PARTS}', list(content))
        self._instances = content['annotations']
        if not self._instances:
            raise MaskError('holds no annotation')
        self.names = self._read_categories(content['categories'])
        self._images = self._read_images(content['images'], images)

    def instances(self) -> Iterator[tuple[str, tuple[int, int], Instance]]:
        """Key, (H, W) and instance; the file keeps no instance that was given."""
        flat = []
        for place, one in enumerate(self._instances):
            self._instances[place] = None
            if not isinstance(one, Instance):
                with at(f'annotations[{place}]'):
                    expect(False, f'an object with {[*FIELDS, self.use]}', one)
            with at(f'annotation {one.id}'):
                for field, value, known in (('image', one.image, self._images),
                                            ('category', one.category, self.names)):
                    if value not in known:
                        raise MaskError(f'{field}_id {value!r} is not in the file: '
                                        f'correct it, or add its {field}')
                if one.outline is None:
                    flat.append(one.id)
                    continue
                key, shape = self._images[one.image]
                self._check_fits(one.outline, shape)
            yield key, shape, one
        if flat:
            logging.getLogger(__name__).warning(
                f"'{self.file}': {len(flat)} boxes without width or height are left "
                f'out, of annotations {", ".join(map(str, flat[:4]))}')

    def _pack(self, entry: dict) -> dict | Instance:
        """An annotation as an Instance, any other object as it is."""
        if 'image_id' not in entry and 'category_id' not in entry:
            return entry
        with at(f"annotation {entry.get('id')}"):
            missing = [field for field in (*FIELDS, self.use) if field not in entry]
            if missing:
                raise MaskError(f'{missing} missing, got {list(entry)}')
            image, category = entry['image_id'], entry['category_id']
            crowd = entry.get('iscrowd', 0)
            expect(not isinstance(image, list | dict) and crowd in (0, 1)
                   and not isinstance(category, list | dict),
                   "numbers 'image_id', 'category_id' and 'iscrowd' 0 or 1",
                   (image, category, crowd))
            outline = self._outline(entry[self.use])
        return Instance(entry['id'], image, category, bool(crowd), outline)

    def _outline(self, given) -> Outline | None:
        if self.use == 'segmentation':
            return read_rle(given) if isinstance(given, dict) else read_polygons(given)
        expect(isinstance(given, list), "'bbox' [x, y, width, height]", given)
        if _is_flat(given):  # COCO's own train2017 has two
            return None
        return read_box(given, 'xywh', ' (COCO boxes are x, y, width, height)')

    def _check_fits(self, outline: Outline, shape: tuple) -> None:
        if self.use == 'bbox':
            check_bounds(outline, shape)
        elif isinstance(outline, list):
            for polygon in outline:
                check_bounds(polygon_bounds(polygon), shape)
        elif outline[1] != shape:
            raise MaskError(f"RLE of size {list(outline[1])}, expected its image's "
                            f'[height, width] {list(shape)}: make it again at the size '
                            'of the image')

    def _read_categories(self, entries: list) -> dict[Any, str]:
        names = {}
        for place, entry in enumerate(entries):
            with at(f'categories[{place}]'):
                expect(_is_entry(entry) and isinstance(entry.get('name'), str),
                       "an object with 'id' and 'name'", entry)
                if entry['id'] in names:
                    raise MaskError(f"id {entry['id']} stands twice, for "
                                    f"'{names[entry['id']]}' and '{entry['name']}'")
            names[entry['id']] = entry['name']
        return names

    def _read_images(self, entries: list, folder: str) -> dict[Any, tuple]:
        images, keys = {}, set()
        for place, entry in enumerate(entries):
            with at(f'images[{place}]'):
                expect(_is_entry(entry) and all(
                    isinstance(entry.get(side), int) and entry[side] > 0
                    for side in ('height', 'width')), "an object with 'id', "
                    "'file_name', 'height' and 'width' in pixels", entry)
                key = image_name(entry.get('file_name'), folder)
                if entry['id'] in images or key in keys:
                    what = 'id' if entry['id'] in images else 'file_name'
                    raise MaskError(f'{what} {entry[what]!r} stands twice: each image '
                                    'must have its own id and file_name')
            keys.add(key)
            images[entry['id']] = key, (entry['height'], entry['width'])
        return images


def _is_entry(value) -> bool:
    return isinstance(value, dict) and isinstance(value.get('id'), int | str)


def _is_flat(box: list) -> bool:
    """Whether this is a COCO box without width or without height."""
    return (len(box) == 4 and all(type(n) in (int, float) for n in box)
            and all(map(math.isfinite, box)) and min(box[2:]) == 0)
