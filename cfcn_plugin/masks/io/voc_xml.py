"""The objects in an XML file of Pascal VOC."""

import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from cfcn_plugin.masks.errors import MaskError, at, expect

from .numbers import read_number, read_whole
from .rectangles import Box, check_upright, read_box
from .xml_tree import read_xml

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')
TURNED = ('cx', 'cy', 'w', 'h', 'angle')


class VOCObject(NamedTuple):
    """One object.

    Attributes:
        name: Its category.
        box: In pixels from the image's corner, (x0, y0, x1, y1), or the four corners of
            a rotated box, float64 (4, 2). None if the box was not asked for.
        difficult: Whether it is marked so.
    """

    name: str
    box: Box | np.ndarray | None
    difficult: bool


def read_objects(
    file: Path, wants: Callable[[str], bool] = bool, boxes: bool = True
) -> tuple[list[VOCObject], tuple[int, int] | None]:
    """The objects and the image's (H, W), None where the file has no size.

    Args:
        file: The file.
        wants: Whether objects of a name are asked for; the others are only named. The
            default is all: no name is empty.
        boxes: Whether boxes are asked for.

    Raises:
        MaskError: The file is missing, is not XML, or is not a VOC annotation.
    """
    root = read_xml(file)
    expect(root.tag == 'annotation', 'an <annotation> of Pascal VOC', root.tag)
    objects = []
    for number, element in enumerate(root.findall('object'), 1):
        with at(f'object {number}'):
            objects.append(_read_object(element, wants, boxes))
    return objects, _read_size(root)


def _read_object(
    element: Element, wants: Callable[[str], bool], boxes: bool
) -> VOCObject:
    name = (element.findtext('name') or '').strip()
    expect(name, 'a <name>', name)
    if not wants(name):
        return VOCObject(name, None, False)
    with at(f"'{name}'"):
        box = _read_any_box(element) if boxes else None
        difficult = (element.findtext('difficult') or '0').strip()
        expect(difficult in ('0', '1'), '<difficult> 0 or 1', difficult)
    return VOCObject(name, box, difficult == '1')


def _read_any_box(element: Element) -> Box | np.ndarray:
    turned = element.find('robndbox')
    return _read_box(element) if turned is None else _read_turned_box(turned)


def _read_box(element: Element) -> Box:
    for one in element.iterfind('attributes/attribute'):
        if one.findtext('name') == 'rotation':
            check_upright(one.findtext('value'))
    corners = [element.findtext(f'bndbox/{corner}') for corner in CORNERS]
    with suppress(ValueError):  # read_box raises for non-numeric values
        # VOC counts pixels from 1 and includes the last pixel
        corners = [
            read_number(corners[0]) - 1,
            read_number(corners[1]) - 1,
            *corners[2:],
        ]
    return read_box(corners)


def _read_turned_box(element: Element) -> np.ndarray:
    """The corners of roLabelImg's box, which counts pixels from the image's corner."""
    given = {field: element.findtext(field) for field in TURNED}
    try:
        x, y, width, height, turn = map(read_number, given.values())
    except ValueError:
        width = height = turn = 0
    expect(
        width > 0 and height > 0 and abs(turn) <= 2 * math.pi,
        'numbers in <robndbox>, <w> and <h> over 0, <angle> in radians',
        given,
    )
    cos, sin = math.cos(turn), math.sin(turn)  # clockwise about the centre
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, height / 2)
    return corners @ [(cos, sin), (-sin, cos)] + (x, y)


def _read_size(root: Element) -> tuple[int, int] | None:
    sides = [root.findtext(f'size/{side}') or '0' for side in ('height', 'width')]
    try:
        height, width = map(read_whole, sides)
    except ValueError:
        raise MaskError(
            f'expected <size> with <height> and <width> in pixels, got {sides}'
        ) from None
    return (height, width) if height and width else None
