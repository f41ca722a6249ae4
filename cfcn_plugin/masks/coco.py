"""Instances of a COCO JSON file."""
from collections.abc import Iterator

import numpy as np
from pycocotools import mask as coco_mask

from .base import MaskRecord, check_option, check_size
from .index import IndexedMasks
from .io.coco_file import CocoFile
from .io.rectangles import draw_boxes
from .io.rle import draw_rles
from .objects import Annotated, ObjectChoice

USES = ('segmentation', 'bbox')
CROWDS = ('ignore', 'causal', 'skip')


class COCOMasks(IndexedMasks):
    """Objects of a COCO instance JSON: polygons, RLE of both kinds, or boxes.

    Every annotation is checked at the start; pycocotools draws a mask when it is asked
    for. Along the outline, the pixels of a polygon may differ from those of the other
    sources, which follow :func:`cfcn_plugin.masks.io.shapes.fill_polygon`. An
    annotation that is there twice changes nothing.

    Args:
        ann_file: The JSON, below ``data_root``.
        data_root: The dataset's root.
        images: Folder below ``data_root`` that ``file_name`` is relative to.
        use: ``'segmentation'``, or ``'bbox'`` for the boxes.
        crowd: What ``iscrowd`` regions are: ``'ignore'``, ``'causal'``, or ``'skip'``
            (context). Ignored by default: such a region surrounds a whole group,
            and the gaps between the objects too.
        **choice: Options of :class:`~cfcn_plugin.masks.objects.ObjectChoice`: all
            objects, some categories, one mask a class, or those of the image's own
            label.
    """
    entry = 'annotation'

    def __init__(self,
                 ann_file: str,
                 data_root: str = '',
                 images: str = '',
                 use: str = 'segmentation',
                 crowd: str = 'ignore',
                 **choice):
        check_option('use', use, USES)
        check_option('crowd', crowd, CROWDS)
        self.use = use
        self.crowd = crowd
        self.images = images
        self.choice = ObjectChoice(**choice)
        super().__init__(ann_file, data_root)

    def records(self) -> Iterator[tuple[str, tuple]]:
        content = CocoFile(self.file, self.use, self.images)
        self.choice.check(set(content.names.values()))
        for key, shape, one in content.instances():
            yield key, (shape, one.crowd, content.names[one.category], one.outline)

    def read(self, records: list, file: str, results: dict) -> MaskRecord:
        check_size(records[0][0], results['ori_shape'][:2])
        objects = [
            Annotated(category, outline, crowd and self.crowd == 'ignore')
            for _, crowd, category, outline in records
            if not crowd or self.crowd != 'skip'
        ]
        draw = _draw_segments if self.use == 'segmentation' else draw_boxes
        return self.choice.record(objects, draw, results, file)


def _draw_segments(outlines: list, shape: tuple[int, int]) -> np.ndarray:
    """The union of polygons and RLEs."""
    rles = []
    for outline in outlines:
        if isinstance(outline, list):
            polygons = [np.frombuffer(polygon) for polygon in outline]
            rles += coco_mask.frPyObjects(polygons, *shape)
        else:
            rles.append(dict(size=shape, counts=outline[0]))
    return draw_rles(rles)
