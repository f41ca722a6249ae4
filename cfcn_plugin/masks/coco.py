"""Instances of a COCO JSON file."""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from cfcn_plugin.options import check_choice, check_flag

from .base import MaskRecord
from .deferred import read_or_defer
from .errors import MaskError, at, check_size, expect
from .index import IndexedMasks
from .io.coco_file import (
    FIELDS,
    Instance,
    check_fits,
    is_box,
    look_up,
    pack_instance,
    read_categories,
    read_images,
    scale_outline,
)
from .io.files import read_json
from .io.rectangles import draw_boxes
from .io.rle import draw_rles
from .objects import IGNORED, Annotated, ObjectChoice

PARTS = ('images', 'annotations', 'categories')
USES = ('segmentation', 'bbox', 'segmentation_or_bbox')


class COCOMasks(IndexedMasks):
    """Objects of a COCO instance JSON: polygons, RLE of both kinds, or boxes.

    All annotations are checked at the start, except those of categories that no option
    asks for. pycocotools rasterises each mask on request. Pixels on a polygon's outline
    may differ from other sources, which use
    :func:`cfcn_plugin.masks.io.shapes.fill_polygon`. A repeated annotation changes
    nothing.

    Args:
        ann_file: The JSON, below ``data_root``.
        data_root: The dataset's root.
        images: Folder below ``data_root`` that ``file_name`` is relative to.
        use: ``'segmentation'``; ``'bbox'`` for the boxes; ``'segmentation_or_bbox'``
            for the box where an object has no segmentation.
        crowd: Handling of ``iscrowd`` regions: ``'ignore'``, ``'causal'``, or
            ``'skip'`` (context). The default is ``'ignore'``, since such a region
            contains a whole group with the gaps between its objects.
        normalized: True: polygons and boxes are fractions of the image's width and
            height. False: they are pixels, as COCO has them. None: they are pixels, and
            an object of no more than the first pixel is an error.
        **choice: Options of :class:`.ObjectChoice`: all objects, some categories, one
            mask per class, or the objects of the image's own label.
    """

    entry = 'annotation'

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        images: str = '',
        use: str = 'segmentation',
        crowd: str = 'ignore',
        normalized: bool | None = None,
        **choice,
    ):
        check_flag('normalized', normalized, optional=True)
        check_choice('use', use, USES)
        check_choice('crowd', crowd, tuple(IGNORED))
        self.use = use
        self.crowd = crowd
        self.normalized = normalized
        self.images = images
        self.choice = ObjectChoice(**choice)
        super().__init__(ann_file, data_root)

    def records(self) -> Iterator[tuple[str, tuple]]:
        content = read_json(self.file, dict, partial(pack_instance, use=self.use))
        expect(
            all(isinstance(content.get(part), list) for part in PARTS),
            f'a COCO instance file, an object with lists {PARTS}',
            list(content),
        )
        names = read_categories(content['categories'])
        images = read_images(content['images'], self.images)
        self.choice.check(set(names.values()))
        instances, flat = content['annotations'], []
        for place, one in enumerate(instances):
            instances[place] = None  # frees the memory
            if not isinstance(one, Instance):
                with at(f'annotations[{place}]'):
                    expect(False, f'an object with {list(FIELDS)}', one)
            place = f'annotation {one.id}'
            with at(place):
                key, shape = look_up(images, one.image, 'image')
            record = read_or_defer(place, self._read_instance, one, shape, names)
            if record is None:
                flat.append(one.id)
            else:
                yield key, record
        if flat:
            logging.getLogger(__name__).warning(
                f"'{self.file}': {len(flat)} boxes without width or height are left "
                f'out, of annotations {", ".join(map(str, flat[:4]))}'
            )

    def _read_instance(
        self, one: Instance, shape: tuple[int, int] | MaskError, names: dict[Any, str]
    ) -> tuple | None:
        """The record, without an outline that no option asks for; None: a flat box."""
        if isinstance(shape, MaskError):
            raise shape
        category, crowd = look_up(names, one.category, 'category'), one.crowd == 1
        if not self.choice.wants(category) or (crowd and self.crowd == 'skip'):
            return shape, crowd, category, None
        if isinstance(one.outline, MaskError):
            raise one.outline
        if one.outline is None:
            return None
        expect(one.crowd in (0, 1), "'iscrowd' 0 or 1", one.crowd)
        outline = scale_outline(one.outline, shape, self.normalized)
        check_fits(outline, shape)
        return shape, crowd, category, outline

    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        check_size(records[0][0], results['ori_shape'][:2])
        objects = [
            Annotated(category, outline, crowd and IGNORED[self.crowd])
            for _, crowd, category, outline in records
        ]
        return self.choice.record(objects, _draw, results, file)


def _draw(outlines: list, shape: tuple[int, int]) -> np.ndarray:
    """The union of polygons, RLEs and boxes."""
    boxes, rles = [], []
    for outline in outlines:
        if is_box(outline):
            boxes.append(outline)
        elif isinstance(outline, list):
            polygons = [np.frombuffer(polygon) for polygon in outline]
            rles += coco_mask.frPyObjects(polygons, *shape)
        else:
            rles.append(dict(size=shape, counts=outline[0]))
    mask = draw_boxes(boxes, shape, normalized=False)  # records() has scaled them
    return mask | draw_rles(rles) if rles else mask
