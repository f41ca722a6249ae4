"""Masks of CVAT's export "CVAT for images 1.1", shapes in an XML file."""

import logging
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from .base import MaskRecord
from .cvat_colours import BACKGROUND
from .deferred import read_or_defer
from .errors import MaskError, at, check_size, expect
from .index import IndexedMasks
from .io.cvat_xml import NO_AREAS, draw_shapes, read_annotations, read_shape, read_size
from .io.names import image_name
from .objects import Annotated, ObjectChoice

IMAGES = 'export from CVAT as "CVAT for images 1.1"'


class CVATShapeMasks(IndexedMasks):
    """Polygons, boxes, ellipses and masks of ``annotations.xml``.

    Points, polylines and skeletons have no area and are left out, as are tags. An image
    without another shape has no mask. ``z_order`` is not read: a pixel of two shapes
    belongs to the labels of both.

    Args:
        masks, images, data_root, **choice: As in :class:`.CVATMasks`.
    """

    entry = 'image with a shape'

    def __init__(self, masks: str, images: str = '', data_root: str = '', **choice):
        self.images = images
        self.choice = ObjectChoice(**choice)
        super().__init__(masks, data_root)

    def records(self) -> Iterator[tuple[str, tuple | MaskError]]:
        root = read_annotations(self.file)
        expect(root.tag == 'annotations', 'the <annotations> of CVAT', root.tag)
        if root.find('track') is not None:
            raise MaskError(f'has tracks, an export "CVAT for video 1.1": {IMAGES}')
        declared = {
            (name.text or '').strip()
            for name in root.iterfind('meta/*/labels/label/name')
        }
        if declared:
            self.choice.check(declared)
        images, seen, left_out = root.findall('image'), set(), Counter()
        keys = [self._read_key(number, image) for number, image in enumerate(images)]
        counts = Counter(keys)
        for key, image in zip(keys, images):
            left_out.update(one.tag for one in image if one.tag in NO_AREAS)
            shapes = [one for one in image if one.tag not in (*NO_AREAS, 'tag')]
            if shapes and counts[key] > 1:
                yield (
                    key,
                    MaskError(
                        f'{counts[key]} images of the file have this name, which tasks '
                        'of one project may share: export each task by itself'
                    ),
                )
            elif shapes:
                yield (
                    key,
                    read_or_defer(
                        f'image {image.get("id")}',
                        self._read_image,
                        image,
                        shapes,
                        seen,
                    ),
                )
            image.clear()  # frees the memory
        if left_out:
            counts = ', '.join(f'{n} {tag}' for tag, n in sorted(left_out.items()))
            logging.getLogger(__name__).warning(
                f"'{self.file}': shapes without an area are left out: {counts}"
            )
        if seen and not declared:
            self.choice.check_seen(seen)

    def _read_key(self, number: int, image: Element) -> str:
        with at(f'image {number}'):
            return image_name(image.get('name'), self.images)

    def _read_image(
        self, image: Element, shapes: list[Element], seen: set[str]
    ) -> tuple[tuple[int, int], list[tuple]]:
        """(H, W); and place, label, and shape, if the label is asked for."""
        seen.update(one.get('label') or '' for one in shapes)
        size, found = read_size(image), []
        for number, one in enumerate(shapes):
            label, place = one.get('label') or '', f'shape {number} ({one.tag})'
            wanted = self.choice.wants(label) and (
                label != BACKGROUND or label in self.choice.option_categories
            )
            with at(place):
                shape = read_shape(one, size) if wanted else None
            if wanted or label != BACKGROUND:
                found.append((place, label, shape))
        return size, found

    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        size, shapes = records[0]
        check_size(size, results['ori_shape'][:2])
        found = [Annotated(label, (place, shape)) for place, label, shape in shapes]
        return self.choice.record(found, draw_shapes, results, file)
