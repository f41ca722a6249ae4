"""The objects in an XML file of Pascal VOC."""
import math
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import (
    Element,
    ParseError,
    TreeBuilder,
    XMLParser,
    fromstring,
)

import numpy as np

from cfcn_plugin.masks.base import MaskError, at, expect

from .numbers import read_number, read_whole
from .rectangles import Box, read_box

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')
TURNED = ('cx', 'cy', 'w', 'h', 'angle')


class VOCObject(NamedTuple):
    """One object.

    Attributes:
        name: Its category.
        box: In pixels from the image's corner, (x0, y0, x1, y1), or the four corners of
            a rotated box, float64 (4, 2).
        difficult: Whether it is marked so.
    """
    name: str
    box: Box | np.ndarray
    difficult: bool


def read_objects(file: Path) -> tuple[list[VOCObject], tuple[int, int] | None]:
    """The objects and the image's (H, W), None where the file has no size.

    Raises:
        MaskError: The file is missing, is not XML, or is not a VOC annotation.
    """
    root = parse_xml(file)
    expect(root.tag == 'annotation', 'an <annotation> of Pascal VOC', root.tag)
    objects = []
    for number, element in enumerate(root.findall('object'), 1):
        with at(f'object {number}'):
            objects.append(_read_object(element))
    return objects, _read_size(root)


def parse_xml(file: Path) -> Element:
    """The root of an XML file.

    Raises:
        MaskError: The file is not XML, or has a document type.
    """
    try:
        return fromstring(file.read_bytes(), XMLParser(target=_PlainTree()))
    except OSError as error:  # a MaskError, which `on_error` can handle
        raise MaskError(f'cannot be read ({error.strerror}): add it, or correct '
                        '`annotations` or `data_root`') from error
    except ParseError as error:
        raise MaskError(f'not XML ({error})') from error


class _PlainTree(TreeBuilder):

    def doctype(self, name, public, system):
        raise MaskError('has a document type (<!DOCTYPE ...>), which could define '
                        'entities that fill the memory: remove the document type')


def _read_object(element: Element) -> VOCObject:
    name = (element.findtext('name') or '').strip()
    expect(name, 'a <name>', name)
    with at(f"'{name}'"):
        turned = element.find('robndbox')
        box = _read_box(element) if turned is None else _read_turned_box(turned)
        difficult = (element.findtext('difficult') or '0').strip()
        expect(difficult in ('0', '1'), '<difficult> 0 or 1', difficult)
    return VOCObject(name, box, difficult == '1')


def _read_box(element: Element) -> Box:
    corners = [element.findtext(f'bndbox/{corner}') for corner in CORNERS]
    with suppress(ValueError):  # read_box raises for non-numeric values
        # VOC counts pixels from 1 and includes the last pixel
        corners = [read_number(corners[0]) - 1, read_number(corners[1]) - 1,
                   *corners[2:]]
    return read_box(corners)


def _read_turned_box(element: Element) -> np.ndarray:
    """The corners of roLabelImg's box, which counts pixels from the image's corner."""
    given = {field: element.findtext(field) for field in TURNED}
    try:
        x, y, width, height, turn = map(read_number, given.values())
    except ValueError:
        width = height = turn = 0
    expect(width > 0 and height > 0 and abs(turn) <= 2 * math.pi,
           'numbers in <robndbox>, <w> and <h> over 0, <angle> in radians', given)
    cos, sin = math.cos(turn), math.sin(turn)  # clockwise about the centre
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, height / 2)
    return corners @ [(cos, sin), (-sin, cos)] + (x, y)


def _read_size(root: Element) -> tuple[int, int] | None:
    sides = [root.findtext(f'size/{side}') or '0' for side in ('height', 'width')]
    try:
        height, width = map(read_whole, sides)
    except ValueError:
        raise MaskError('expected <size> with <height> and <width> in pixels, got '
                        f'{sides}') from None
    return (height, width) if height and width else None
