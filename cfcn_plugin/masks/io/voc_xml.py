"""The objects in an XML file of Pascal VOC."""
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

from cfcn_plugin.masks.base import MaskError, at, expect

from .numbers import read_number, read_whole
from .rectangles import Box, read_box

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
    corners = [element.findtext(f'bndbox/{corner}') for corner in CORNERS]
    with suppress(ValueError):  # read_box raises for non-numeric values
        # VOC counts pixels from 1 and includes the last pixel
        corners = [read_number(corners[0]) - 1, read_number(corners[1]) - 1,
                   *corners[2:]]
    with at(f"'{name}'"):
        box = read_box(corners)
        difficult = (element.findtext('difficult') or '0').strip()
        expect(difficult in ('0', '1'), '<difficult> 0 or 1', difficult)
    return VOCObject(name, box, difficult == '1')


def _read_size(root: Element) -> tuple[int, int] | None:
    sides = [root.findtext(f'size/{side}') or '0' for side in ('height', 'width')]
    try:
        height, width = map(read_whole, sides)
    except ValueError:
        raise MaskError('expected <size> with <height> and <width> in pixels, got '
                        f'{sides}') from None
    return (height, width) if height and width else None
