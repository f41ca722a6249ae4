"""The objects in an XML file of Pascal VOC."""
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from cfcn_plugin.masks.base import at, expect

from .rectangles import Box, read_box
from .xml_tree import read_xml

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


class VOCObject(NamedTuple):
    """One object: its box in pixels from the image's corner, (x0, y0, x1, y1)."""
    name: str
    box: Box
    difficult: bool


def read_objects(file: Path) -> tuple[list[VOCObject], tuple[int, int] | None]:
    """The objects and the image's (H, W), None where the file has no size.

    Raises:
        MaskError: The file is missing, is not XML, or is not a VOC annotation.
    """
    root = read_xml(file)
    expect(root.tag == 'annotation', 'an <annotation> of Pascal VOC', root.tag)
    objects = []
    for number, element in enumerate(root.findall('object'), 1):
        with at(f'object {number}'):
            objects.append(_read_object(element))
    return objects, _read_size(root)


def _read_object(element: Element) -> VOCObject:
    name = (element.findtext('name') or '').strip()
    expect(name, 'a <name>', name)
    corners = [element.findtext(f'bndbox/{corner}') for corner in CORNERS]
    with suppress(TypeError, ValueError):  # read_box raises for non-numeric values
        # VOC counts pixels from 1 and includes the last pixel
        corners = [float(corners[0]) - 1, float(corners[1]) - 1, *corners[2:]]
    with at(f"'{name}'"):
        box = read_box(corners)
        difficult = (element.findtext('difficult') or '0').strip()
        expect(difficult in ('0', '1'), '<difficult> 0 or 1', difficult)
    return VOCObject(name, box, difficult == '1')


def _read_size(root: Element) -> tuple[int, int] | None:
    sides = [(root.findtext(f'size/{side}') or '0').strip() for side in
             ('height', 'width')]
    expect(all(side.isdecimal() and len(side) < 10 for side in sides),
           '<size> with <height> and <width> in pixels', sides)
    height, width = map(int, sides)
    return (height, width) if height and width else None
