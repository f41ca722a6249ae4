"""The parts of a COCO instance JSON, each checked as soon as it is read."""

import math
from array import array
from itertools import chain
from typing import Any, NamedTuple

from cfcn_plugin.masks.deferred import read_or_defer, without_traceback
from cfcn_plugin.masks.errors import MaskError, at, expect, is_list_of

from .names import image_name
from .numbers import are_numbers, is_whole
from .rectangles import Box, check_in_image, check_upright, read_box
from .rle import read_rle
from .scale import check_scale, to_pixels

FIELDS = ('id', 'image_id', 'category_id')
IDS = {int: 'a number', float: 'a number', str: 'text'}
Outline = list[array] | tuple[bytes, tuple[int, int]] | Box


class Instance(NamedTuple):
    """One annotation; only its outline is checked, and not yet against the image.

    Attributes:
        outline: Polygons [x0, y0, x1, y1, ...], or compressed RLE counts and their
            (H, W), or a box (x0, y0, x1, y1); None for a box without an area. A
            MaskError if the outline cannot be read.
    """

    id: Any
    image: Any
    category: Any
    crowd: Any
    outline: Outline | MaskError | None


def pack_instance(entry: dict, use: str) -> dict | Instance:
    """Pack a JSON object into an Instance if the object is an annotation.

    This is called during reading: Python objects of all numbers would fill the memory.
    """
    if 'image_id' not in entry or 'file_name' in entry:
        return entry
    try:
        outline = _read_outline(entry, use)
    except MaskError as error:
        outline = without_traceback(error)
    return Instance(
        entry.get('id'),
        entry['image_id'],
        entry.get('category_id'),
        entry.get('iscrowd', 0),
        outline,
    )


def look_up(known: dict, number, what: str):
    """The value of an id. JSON's true is not the id 1.

    Raises:
        MaskError: There is no such id. The message names the types if they differ.
    """
    if type(number) in IDS and number in known:
        return known[number]
    kinds = {IDS[type(one)] for one in known}
    kind = IDS.get(type(number))
    raise MaskError(
        f'{what}_id {number!r} '
        + (
            f'is {kind}, and the id of each {what} is {" or ".join(sorted(kinds))}: '
            'write both in the same way'
            if kind and kinds and kind not in kinds
            else f'is not in the file: correct it, or add its {what}'
        )
    )


def read_categories(entries: list) -> dict[Any, str]:
    """Category id -> name."""
    names = {}
    for place, entry in enumerate(entries):
        with at(f'categories[{place}]'):
            expect(
                _is_entry(entry) and isinstance(entry.get('name'), str),
                "an object with 'id' and 'name'",
                entry,
            )
            if entry['id'] in names:
                raise MaskError(
                    f'id {entry["id"]} occurs twice, for '
                    f"'{names[entry['id']]}' and '{entry['name']}'"
                )
        names[entry['id']] = entry['name']
    return names


def read_images(entries: list, folder: str) -> dict[Any, tuple]:
    """Image id -> key, and (H, W), or the MaskError of all annotations of the image."""
    images, first = {}, {}
    for place, entry in enumerate(entries):
        with at(f'images[{place}]'):
            expect(_is_entry(entry), "an object with 'id' and 'file_name'", entry)
            number = entry['id']
            key = image_name(entry.get('file_name'), folder)
            if number in images:
                raise MaskError(
                    f'id {number!r} occurs twice: each image must have its own id'
                )
        size = read_or_defer(f'images[{place}]', _read_size, entry)
        other = first.setdefault(key, number)
        if other != number:
            size = MaskError(
                f'images[{place}]: file_name {entry["file_name"]!r} '
                'occurs twice: each image must have its own file_name'
            )
            images[other] = key, size
        images[number] = key, size
    return images


def _read_size(entry: dict) -> tuple[int, int]:
    size = entry.get('height'), entry.get('width')
    expect(all(is_whole(n, 1) for n in size), "'height' and 'width' in pixels", entry)
    return size


def is_box(outline: Outline) -> bool:
    """Whether an outline is a box and not polygons or run lengths."""
    return isinstance(outline, tuple) and len(outline) == 4


def scale_outline(
    outline: Outline, shape: tuple[int, int], normalized: bool | None
) -> Outline:
    """An outline in pixels of its image of (H, W); see :func:`.to_pixels`.

    Raises:
        MaskError: The outline is in fractions, or is not.
    """
    if isinstance(outline, tuple) and not is_box(outline):  # an RLE
        return outline
    polygons = outline if isinstance(outline, list) else [outline]
    check_scale([*chain(*polygons)], shape, normalized)
    if not normalized:
        return outline
    polygons = [array('d', to_pixels(one, shape, True)) for one in polygons]
    return polygons if isinstance(outline, list) else tuple(polygons[0])


def check_fits(outline: Outline, shape: tuple[int, int]) -> None:
    """Raise a MaskError if an outline does not fit an image of (H, W)."""
    if is_box(outline):
        check_bounds(outline, shape)
    elif isinstance(outline, list):
        for polygon in outline:
            x, y = polygon[::2], polygon[1::2]
            check_bounds((min(x), min(y), max(x), max(y)), shape)
    elif outline[1] != shape:
        raise MaskError(
            f"RLE of size {list(outline[1])}, expected its image's [height, width] "
            f'{list(shape)}: make it again at the size of the image'
        )


def read_polygons(given) -> list[array]:
    """A list of polygons [x0, y0, x1, y1, ...] as arrays of float64.

    Raises:
        MaskError: ``given`` is no list of polygons.
    """
    expect(
        is_list_of(list, given) and given,
        'a list of polygons [[x0, y0, x1, y1, ...], ...] or an RLE',
        given,
    )
    polygons = []
    for polygon in given:
        try:
            is_plain = are_numbers(polygon, int, float)
            numbers = array('d', polygon) if is_plain else ()
        except OverflowError:
            numbers = ()
        expect(
            len(numbers) >= 6 and len(numbers) % 2 == 0,
            'a polygon of at least three points, [x0, y0, x1, y1, x2, y2, ...], an '
            'even number of numbers',
            polygon,
        )
        expect(math.isfinite(sum(numbers)), 'a polygon of finite numbers', polygon)
        polygons.append(numbers)
    return polygons


def check_bounds(bounds: Box, shape: tuple[int, int]) -> None:
    """Raise a MaskError if an outline is far outside an image of this size.

    An outline that slightly exceeds the image is clipped. An outline that exceeds the
    image by the image's size belongs to another image. pycocotools would also allocate
    memory in proportion to the outline's length.

    Raises:
        MaskError: (x0, y0, x1, y1) in pixels lies outside (H, W), or goes far beyond.
    """
    check_in_image(bounds, shape)
    x0, y0, x1, y1 = bounds
    height, width = shape
    if x0 < -width or y0 < -height or x1 > 2 * width or y1 > 2 * height:
        raise MaskError(
            f'from ({x0}, {y0}) to ({x1}, {y1}) it goes far beyond the image of '
            f'{width} x {height} pixels: are the numbers pixels of this image?'
        )


def _read_outline(entry: dict, use: str) -> Outline | None:
    given = entry.get('segmentation')
    if (not given or given == [[]]) and 'bbox' in entry:
        attributes = entry.get('attributes')
        check_upright(isinstance(attributes, dict) and attributes.get('rotation'))
        if use == 'segmentation':
            raise MaskError(
                "has a 'bbox' and no 'segmentation': outline the object, "
                "or take such boxes with use='segmentation_or_bbox'"
            )
        use = 'bbox'
    elif use != 'bbox':
        use = 'segmentation'
    expect(use in entry, f"'{use}'", list(entry))
    given = entry[use]
    if use == 'segmentation':
        return read_rle(given) if isinstance(given, dict) else read_polygons(given)
    expect(isinstance(given, list), "'bbox' [x, y, width, height]", given)
    if (
        len(given) == 4
        and are_numbers(given, int, float)
        and all(abs(n) < math.inf for n in given)
        and min(given[2:]) == 0
    ):
        return None  # a box without an area: COCO's own train2017 has two
    return read_box(given, 'xywh', ' (COCO boxes are x, y, width, height)')


def _is_entry(value) -> bool:
    return isinstance(value, dict) and type(value.get('id')) in IDS
