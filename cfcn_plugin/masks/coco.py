"""Instances of a COCO JSON file."""
import marshal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from .base import MaskRecord, wrong_size
from .index import IndexedMasks
from .io.coco_file import CocoFile
from .io.rectangles import draw_boxes
from .io.rle import draw_rles
from .objects import Annotated, ObjectChoice

USES = ('segmentation', 'bbox')
CROWDS = ('ignore', 'causal', 'skip')


class COCOMasks(IndexedMasks):
    """Objects of a COCO instance JSON: polygons, RLE of both kinds, or boxes.

    Every annotation is checked at the start; masks are drawn when asked for, by
    pycocotools and by its rule: a polygon's pixels may differ along the outline from
    those of the other sources, where a pixel is inside when its centre is. An
    annotation that stands twice changes nothing.

    Args:
        ann_file: The JSON, below ``data_root``.
        data_root: The dataset's root.
        images: Folder below ``data_root`` that ``file_name`` is relative to.
        use: ``'segmentation'``, or ``'bbox'`` for the boxes.
        crowd: What ``iscrowd`` regions are: ``'ignore'``, ``'causal'``, or ``'skip'``
            (context). Ignored by default: one is drawn around a whole group, with
            what is between the objects.
        **choice: Options of :class:`~cfcn_plugin.masks.objects.ObjectChoice`: all
            objects, some categories, one mask a class, or those of the image's own
            label.
    """

    def __init__(self,
                 ann_file: str,
                 data_root: str = '',
                 images: str = '',
                 use: str = 'segmentation',
                 crowd: str = 'ignore',
                 **choice):
        for name, value, known in (('use', use, USES), ('crowd', crowd, CROWDS)):
            if value not in known:
                raise ValueError(f'`{name}` must be one of {known}, got {value!r}')
        self.use = use
        self.crowd = crowd
        self.choice = ObjectChoice(**choice)
        file = CocoFile(Path(data_root, ann_file), use, images)
        self.choice.check(set(file.names.values()), str(file.file))
        super().__init__(file.file, data_root, _records(file), 'annotation')

    def __call__(self, results: dict) -> MaskRecord | None:
        key = self.key(results)
        found = [marshal.loads(record) for record in self.index.find(key)]
        if not found:
            return None
        shape, file = found[0][2], f"{self.file}', '{key}"
        if shape != tuple(results['ori_shape'][:2]):
            raise wrong_size(file, shape, results['ori_shape'][:2])
        objects = [
            Annotated(category, outline, crowd and self.crowd == 'ignore')
            for category, crowd, _, outline in found
            if not crowd or self.crowd != 'skip'
        ]
        draw = _draw_segments if self.use == 'segmentation' else draw_boxes
        return self.choice.record(
            objects, lambda found: draw(found, shape, f"'{file}'"), results, file)


def _records(file: CocoFile) -> Iterator[tuple[str, bytes]]:
    # marshal: the fastest way to bytes, read by the process that wrote them or its
    # own children
    for key, shape, one in file.instances():
        outline = one.outline
        if isinstance(outline, list):
            outline = [polygon.tobytes() for polygon in outline]
        yield key, marshal.dumps((file.names[one.category], one.crowd, shape, outline))


def _draw_segments(outlines: list, shape: tuple[int, int], where: str) -> np.ndarray:
    """The union of polygons and RLEs."""
    rles = []
    for outline in outlines:
        if isinstance(outline, list):
            polygons = [np.frombuffer(polygon) for polygon in outline]
            rles += coco_mask.frPyObjects(polygons, *shape)
        else:
            rles.append(dict(size=shape, counts=outline[0]))
    return draw_rles(rles)
