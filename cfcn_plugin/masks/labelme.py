"""Masks drawn with LabelMe, one JSON file per image."""

import base64
from io import BytesIO
from pathlib import Path
from posixpath import basename

import numpy as np

from cfcn_plugin.options import check_flag

from .base import MaskRecord
from .errors import MaskError, MaskSizeError, at, check_size, expect, is_list_of
from .folder import FolderMasks
from .io.files import read_json
from .io.image import read_image
from .io.palette import shown_values
from .io.rectangles import draw_boxes
from .io.scale import to_pixels
from .io.shapes import (
    check_inside,
    check_radius,
    draw_stroke,
    fill_polygon,
    pixel_radius,
    read_points,
)
from .io.stored_names import normal_name
from .objects import Annotated, ObjectChoice

# shape type -> least number of points
KINDS = dict(
    polygon=3,
    rectangle=2,
    oriented_rectangle=4,
    rotation=4,
    quadrilateral=4,
    circle=2,
    line=2,
    linestrip=2,
    point=1,
    points=1,
    mask=2,
)
LINES = ('line', 'linestrip', 'point', 'points')
# oriented_rectangle is LabelMe's name, the last two are X-AnyLabeling's
RECTANGLES = ('rectangle', 'oriented_rectangle', 'rotation', 'quadrilateral')


class LabelMeMasks(FolderMasks):
    """The shapes in LabelMe's JSON files, beside the images or in another folder.

    Polygons, rectangles (two opposite corners, or all four), circles and masks are
    filled; lines and points are drawn with a radius. The image inside a file
    (``imageData``) is never decoded.

    Args:
        masks, images, data_root: As in :class:`.FolderMasks`.
        suffix: The end of a file's name, or a list.
        radius: Radius of points and lines, 0 or more. None: points and lines raise an
            error.
        unit: Unit of ``radius``: ``'pixel'``, or ``'diagonal'`` for a fraction of the
            image's diagonal.
        normalized: True: points are fractions of the image's width and height, except
            those of masks. False: they are pixels. None: they are pixels, and a shape
            of no more than the first pixel is an error.
        **choice: Options of :class:`.ObjectChoice`. A shape's label is its category.
    """

    image_field = '`imagePath`'

    def __init__(
        self,
        masks: str,
        images: str = '',
        data_root: str = '',
        suffix: str = '.json',
        radius: float | None = None,
        unit: str = 'pixel',
        normalized: bool | None = None,
        **choice,
    ):
        super().__init__(masks, images, data_root, suffix)
        check_flag('normalized', normalized, optional=True)
        check_radius(0 if radius is None else radius, unit)
        self.choice = ObjectChoice(**choice)
        self.radius = radius
        self.unit = unit
        self.normalized = normalized

    def named_image(self, key: str) -> str | None:
        name = read_json(self.mask_file(key), dict).get('imagePath')
        return basename(normal_name(name)) if isinstance(name, str) else None

    def read(self, file: Path, shape: tuple[int, int], results: dict) -> MaskRecord:
        content = read_json(file, dict)
        shapes = content.get('shapes')
        expect(
            is_list_of(dict, shapes),
            'a file of LabelMe with a list `shapes` of objects',
            sorted(content),
        )
        size = content.get('imageHeight'), content.get('imageWidth')
        if None not in size:
            check_size(size, shape)
        found = []
        for number, one in enumerate(shapes):
            label = one.get('label')
            with at(f'shape {number}'):
                expect(
                    isinstance(label, str) or not self.choice.wants(label),
                    'a text `label`',
                    label,
                )
                self.choice.check_case([str(label)])
            found.append(Annotated(str(label), (number, one)))
        return self.choice.record(found, self._draw, results, str(file))

    def _draw(self, shapes: list[tuple[int, dict]], shape: tuple) -> np.ndarray:
        mask = np.zeros(shape, np.uint8)
        for number, one in shapes:
            kind = one.get('shape_type') or 'polygon'  # early versions have no type
            with at(f'shape {number} ({kind})'):
                mask |= self._draw_shape(one, kind, shape)
        return mask

    def _draw_shape(self, one: dict, kind: str, shape: tuple) -> np.ndarray:
        expect(
            isinstance(kind, str) and kind in KINDS,
            f'a `shape_type` of {tuple(KINDS)}',
            kind,
        )
        points = read_points(one.get('points'), KINDS[kind])
        if kind in LINES and self.radius is None:
            raise MaskError(
                f'a {kind} has no inside: give the width around it with '
                '`radius`, or choose other `categories`'
            )
        if kind != 'mask':  # a mask's own size in pixels is compared with its box
            flat = to_pixels(points.ravel().tolist(), shape, self.normalized)
            points = np.reshape(flat, (-1, 2))
        strokes, radius = (), 0
        if kind == 'circle':  # two points: the centre, and a point on the circle
            strokes, radius = [points[:1]], float(np.hypot(*(points[1] - points[0])))
        elif kind in LINES:
            strokes = points[:, None] if kind == 'points' else [points]
            radius = pixel_radius(self.radius, self.unit, shape)
        check_inside(points, radius, shape)
        if len(strokes):
            drawn = [draw_stroke(stroke, radius, shape) for stroke in strokes]
            return np.bitwise_or.reduce(drawn)
        if _is_polygon(one, kind, len(points)):
            return fill_polygon(points, shape)
        low, high = points.min(0), points.max(0)
        if kind == 'mask':
            return self._paste(one.get('mask'), low, high, shape)
        return draw_boxes([(*low, *high)], shape, normalized=False)

    @staticmethod
    def _paste(encoded, low: np.ndarray, high: np.ndarray, shape: tuple) -> np.ndarray:
        """Draw a shape of type mask: a base64 PNG of the box between two pixels."""
        left, top = low.astype(int).tolist()
        right, bottom = (high.astype(int) + 1).tolist()
        if left < 0 or top < 0 or right > shape[1] or bottom > shape[0]:
            raise MaskError(
                f'the mask from {low.tolist()} to {high.tolist()} leaves the image'
            )
        expect(isinstance(encoded, str) and encoded, 'a `mask` in base64', encoded)
        try:
            stream = BytesIO(base64.b64decode(encoded, validate=True))
        except (TypeError, ValueError) as error:  # also letters beyond ASCII
            raise MaskError(f'its `mask` is not base64 ({error})') from error
        try:
            values = read_image(
                stream, (bottom - top, right - left), values=shown_values
            )
        except MaskSizeError as error:
            raise MaskError(
                f'its mask has height and width {error.size}, its box '
                f'{(bottom - top, right - left)}'
            ) from error
        if values.ndim != 2:
            raise MaskError('its mask has colours, expected grey')
        mask = np.zeros(shape, np.uint8)
        mask[top:bottom, left:right] = values != 0
        return mask


def _is_polygon(one: dict, kind: str, count: int) -> bool:
    """Whether a shape is filled as a polygon of its points: also four corners."""
    if kind not in RECTANGLES:
        return kind == 'polygon'
    turn = one.get('rotation') or one.get('direction')
    # two corners do not tell how the rectangle is turned
    expect(
        count == 4 or (count == 2 and kind == 'rectangle' and not turn),
        'two opposite corners, or four corners of a turned rectangle',
        f'{count} points' + (f' and a rotation of {turn}' if turn else ''),
    )
    return count == 4
